import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { policies } from "../../src/generated/registry.ts";
import { readCases } from "../../src/testing/case-format.ts";
import { runCases } from "../../src/testing/cases.ts";

const root = join(import.meta.dirname, "../..");

for (const [name, release] of policies) {
  const uri = `${release.source}/cases.yaml`;
  const document = { uri, text: readFileSync(join(root, uri), "utf8") };
  describe(name, async () => {
    const results = await runCases(document, release, policies);
    test.for(results)("$name", ({ differences }) => {
      expect(differences).toEqual([]);
    });
    test("a policy that protects has cases in which it keeps somebody out", () => {
      const denies = readCases(document).filter(({ expect: { reply } }) => (reply?.status ?? 0) >= 400);
      if (release.manifest.protects) expect(denies.length).toBeGreaterThan(0);
    });
  });
}
