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

test("an engine that is a part of a program has no workers", () => {
  const source = (workers: string) => ({ uri: "settings", text: `version: 1\nworkers: ${workers}\n` });
  const refused = parseSettings(source("2"), "/etc/engine", "embedded");
  expect("problems" in refused && refused.problems.map(({ code, path }) => [code, path])).toEqual([["settings-contradiction", "workers"]]);
  expect("settings" in parseSettings(source("1"), "/etc/engine", "embedded")).toBe(true);
});
