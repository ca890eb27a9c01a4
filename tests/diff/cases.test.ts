/** What `diff` says for people: pairs of documents with golden texts. `UPDATE_GOLDENS=1` writes them anew. */
import { describe, expect, test } from "vitest";
import { defaultEnvoyPromises } from "../../src/config/settings.ts";
import { countDifferences, diffConfigs } from "../../src/diff/diff-configs.ts";
import { formatDiff } from "../../src/diff/format-diff.ts";
import { policies } from "../../src/generated/registry.ts";
import { casesIn, expectGolden } from "../config/goldens.ts";
import { sideOf } from "./support.ts";

const promises = { ...defaultEnvoyPromises, allowModeOverride: true };

describe("what a change means", () => {
  test.each(casesIn("../diff/cases/"))("$name", async ({ documents, goldenPath }) => {
    const [after, before] = documents;
    if (before?.uri !== "old.yaml" || after?.uri !== "new.yaml") throw new Error("a case is old.yaml and new.yaml");
    const [from, to] = [await sideOf(before, policies, promises), await sideOf(after, policies, promises)];
    const diff = diffConfigs(from, to, promises);
    expectGolden(goldenPath, formatDiff(diff));
    expect(JSON.stringify(diff)).not.toMatch(/hush|[0-9a-f]{64}/);
    expect(countDifferences(diffConfigs(from, from, promises)) + countDifferences(diffConfigs(to, to, promises))).toBe(0);
  });
});
