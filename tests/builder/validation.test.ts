/**
 * What is said about policy folders. Each file under `trees/` is a folder, as far as it differs from a whole one: file to text, null for a file
 * that is not there. `UPDATE_GOLDENS=1` writes what is said now.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { discoverPolicies, openPolicyFolder } from "../../builder/discover.ts";
import { generateParameters } from "../../builder/generate-parameters.ts";
import { discoverLibraries } from "../../builder/policy-libraries.ts";
import { validateLibraries, validatePolicies } from "../../builder/validation/validate-policies.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";
import { parseManifest } from "../../src/config/manifest.ts";
import { formatProblems } from "../../src/config/problems.ts";
import { createSchemaEngine } from "../../src/config/schema-engine.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";
import { casesIn, expectGolden } from "../config/goldens.ts";

const schemas = createSchemaEngine(loadPatternEngine().engine);

const whole = {
  "policy.yaml": `name: demo
version: 1.0.0
summary: Does nothing.
sdk: 1
parameters:
  type: object
  additionalProperties: false
  properties:
    size: { description: How large., type: integer, minimum: 1 }
    label: { description: A label., type: string, x-secret: true }
    when: { description: A condition., type: string, x-expression: bool }
`,
  "index.ts": `import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import type { Parameters } from "./parameters.ts";

export default { create: () => ({}) } satisfies PolicyDefinition<Parameters>;
`,
  "cases.yaml": "cases: [{ name: passes, parameters: { size: 1 }, expect: { request: {} } }]\n",
  "README.md": "# demo\n",
};

/** Besides files: where the folder is, and what it is held to. */
type Tree = Readonly<Record<string, string | null>> & { readonly folder?: string; readonly preset?: "strict" };

describe("each tree is accepted or refused as its golden says", () => {
  test.each(casesIn(new URL("trees/", import.meta.url).href))("$name", async ({ documents: [document], goldenPath }) => {
    const { folder = "policies/demo/v1.0.0", preset, ...changes }: Tree = parse(document?.text ?? "");
    const { path: root, remove } = await temporaryFolder();
    onTestFinished(remove);
    const files = Object.entries({ "parameters.ts": parametersOf({ ...whole, ...changes }), ...whole, ...changes });
    for (const [file, text] of files) {
      const path = join(root, file.startsWith("policies/") ? file : join(folder, file));
      await mkdir(dirname(path), { recursive: true });
      if (text !== null) await writeFile(path, text);
    }
    const elsewhere = folder.startsWith("policies/") ? undefined : await openPolicyFolder(join(root, folder), folder);
    const folders = elsewhere === undefined ? await discoverPolicies(root) : [elsewhere];
    const libraries = [...(await discoverLibraries(root)).values()];
    const problems = [...(await validatePolicies(folders, schemas, preset)), ...(await validateLibraries(libraries))];
    expectGolden(goldenPath, `${problems.length === 0 ? "fine" : formatProblems(problems).replaceAll(`${root}/`, "")}\n`);
  });
});

/** So that a tree need not say what follows from its manifest. */
function parametersOf({ "policy.yaml": text }: { readonly "policy.yaml": string }): string {
  const parsed = parseManifest({ uri: "policy.yaml", text }, schemas);
  try {
    return "manifest" in parsed ? generateParameters(parsed.manifest) : "";
  } catch {
    return "";
  }
}
