import { describe, expect, test } from "vitest";
import { formatProblems } from "../../src/config/problems.ts";
import { parseSettings } from "../../src/config/settings.ts";
import { casesIn, expectGolden } from "./goldens.ts";

describe("settings are read or refused as their golden says", () => {
  test.each(casesIn("settings/"))("$name", ({ documents, goldenPath }) => {
    const [document] = documents;
    if (document === undefined) throw new Error("a settings case is one file");
    const parsed = parseSettings(document, "/etc/engine");
    if ("problems" in parsed)
      expectGolden(goldenPath, `refused, problems: ${parsed.problems.length}\n\n${formatProblems(parsed.problems)}\n`);
    else expectGolden(goldenPath, `accepted\n${JSON.stringify(parsed.settings, null, 2)}\n${formatProblems(parsed.warnings)}`);
  });
});

test("paths that are absolute stay as they are", () => {
  const text = "version: 1\nproviders: [{ file: { paths: [/srv/a.yaml, ../b] } }]\n";
  const parsed = parseSettings({ uri: "settings.yaml", text }, "/etc/engine");
  expect("settings" in parsed && parsed.settings.providers).toMatchObject([{ kind: "file", paths: ["/srv/a.yaml", "/etc/b"] }]);
});
