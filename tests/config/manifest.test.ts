import { describe, expect, test } from "vitest";
import { parseManifest } from "../../src/config/manifest.ts";
import { formatProblems } from "../../src/config/problems.ts";
import { casesIn, expectGolden } from "./goldens.ts";
import { testSchemas } from "./support.ts";

const schemas = testSchemas();

describe("a manifest is read or refused as its golden says", () => {
  test.each(casesIn("manifests/"))("$name", ({ documents, goldenPath }) => {
    const [document] = documents;
    if (document === undefined) throw new Error("a manifest case is one file");
    const parsed = parseManifest(document, schemas);
    if ("problems" in parsed)
      expectGolden(goldenPath, `refused, problems: ${parsed.problems.length}\n\n${formatProblems(parsed.problems)}\n`);
    else expectGolden(goldenPath, `accepted\n${JSON.stringify(parsed.manifest, null, 2)}\n`);
  });
});

test("what may be left out has a default", () => {
  const parsed = parseManifest({ uri: "policy.yaml", text: "{ name: nothing, version: 1.0.0, summary: Does nothing., sdk: 1 }" }, schemas);
  expect(parsed).toEqual({
    manifest: {
      name: "nothing",
      version: "1.0.0",
      summary: "Does nothing.",
      sdk: 1,
      protects: false,
      metadata: { reads: [], writes: {} },
      mutates: [],
      headers: { request: [], response: [] },
      replies: "sometimes",
      parameters: { type: "object", properties: {}, additionalProperties: false },
    },
  });
});
