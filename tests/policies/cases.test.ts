import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatProblems } from "../../src/config/problems.ts";
import { createSchemaEngine } from "../../src/config/schema-engine.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";
import { policies } from "../../src/generated/registry.ts";
import { parseCases } from "../../src/testing/case-format.ts";
import { runCases } from "../../src/testing/cases.ts";

const root = join(import.meta.dirname, "../..");
const schemas = createSchemaEngine(loadPatternEngine().engine);

for (const [name, release] of policies) {
  const uri = `${release.source}/cases.yaml`;
  const parsed = parseCases({ uri, text: readFileSync(join(root, uri), "utf8") }, schemas);
  if ("problems" in parsed) throw new Error(formatProblems(parsed.problems));
  describe(name, async () => {
    const results = await runCases(parsed.file, { kind: "policy", release }, { policies });
    test.for(results)("$name", ({ differences }) => {
      expect(differences).toEqual([]);
    });
  });
}
