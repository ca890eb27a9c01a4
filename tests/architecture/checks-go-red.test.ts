/** The checks of `npm run check` that are code of ours, each shown what it exists to find. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { codesAreDocumented } from "../../scripts/checks/codes-are-documented.ts";
import { policyFoldersAreComplete } from "../../scripts/checks/policy-folders-are-complete.ts";
import { sdkIsTypesOnly } from "../../scripts/checks/sdk-is-types-only.ts";
import { differences } from "../../scripts/generated-files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("every policy folder is complete", () => {
  const whole = {
    "policies/demo/v1.0.0/policy.yaml": "name: demo\nversion: 1.0.0\nsummary: Does nothing.\nsdk: 1\n",
    "policies/demo/v1.0.0/index.ts": "export default { create: () => ({}) };\n",
    "policies/demo/v1.0.0/parameters.ts":
      "// Generated from policy.yaml by `npm run generate`: change that, not this.\n\nexport type Parameters = Readonly<Record<string, never>>;\n",
    "policies/demo/v1.0.0/cases.yaml": "cases: [{ name: passes, expect: { request: {} } }]\n",
    "policies/demo/v1.0.0/README.md": "# demo\n",
  };
  const faultsIn = async (files: Readonly<Record<string, string | undefined>>) =>
    policyFoldersAreComplete(await folderWith({ ...whole, ...files }));

  test("a whole one has no faults", async () => {
    expect(await faultsIn({})).toEqual([]);
  });

  test("one with a problem; which there are is said in tests/builder/trees", async () => {
    expect(await faultsIn({ "policies/demo/v1.0.0/README.md": undefined })).toEqual([expect.stringContaining("there is no README.md")]);
  });

  test("one without a manifest", async () => {
    expect(await faultsIn({ "policies/demo/v1.0.0/policy.yaml": undefined })).toEqual([
      expect.stringContaining("policies/demo/v1.0.0: not a policy version"),
    ]);
  });

  test("one whose name is no version", async () => {
    expect(await faultsIn({ "policies/demo/latest/policy.yaml": "" })).toEqual([
      expect.stringContaining("policies/demo/latest: not a policy version"),
    ]);
  });

  test("a shared package that is none, and one with a problem", async () => {
    expect(await faultsIn({ "policies/lib/keys/keys.ts": "" })).toEqual([expect.stringContaining("policies/lib/keys: not a package")]);
    const named = { "policies/lib/keys/package.json": '{ "name": "@a/keys" }', "policies/lib/keys/keys.ts": "fetch();\n" };
    expect(await faultsIn({ ...named, "policies/lib/keys/README.md": "# keys\n" })).toEqual([
      expect.stringContaining("policies/lib/keys/keys.ts:1:1: error[module-global] `fetch`"),
    ]);
  });
});

describe("generated files match their sources", () => {
  test("a changed, a missing and a stray file are found, an unchanged one is not", async () => {
    const folder = await folderWith({
      "src/generated/same.ts": "same",
      "src/generated/changed.ts": "old",
      "src/generated/deep/stray.ts": "stray",
    });
    const files = ["same", "changed", "missing"].map((name) => ({ path: `src/generated/${name}.ts`, text: name }));
    expect(await differences(folder, files)).toEqual([
      { path: "src/generated/changed.ts", text: "changed" },
      { path: "src/generated/missing.ts", text: "missing" },
      { path: "src/generated/deep/stray.ts", text: undefined },
    ]);
  });
});

describe("every error code is documented", () => {
  test("a code that is missing on the page is found", async () => {
    const page = await readFile(join(root, "docs/errors.md"), "utf8");
    const folder = await folderWith({ "docs/errors.md": page.replace("### unknown-key\n", "### unknown\n") });
    expect(await codesAreDocumented(folder)).toContainEqual(expect.stringContaining("unknown-key: missing in docs/errors.md"));
  });
});

describe("the SDK imports nothing and ships no runtime code", () => {
  async function faultsWith(addition: string, manifest?: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
    const sdk = await readFile(join(root, "src/sdk/index.ts"), "utf8");
    const folder = await folderWith({
      "package.json": '{ "type": "module" }',
      "src/sdk/index.ts": `${sdk}\n${addition}\n`,
      "src/sdk/package.json": JSON.stringify({ type: "module", ...manifest }),
      "src/errors.ts": "export interface Some {}\n",
    });
    for (const file of ["tsconfig.json", "src/sdk/tsconfig.json"]) await cp(join(root, file), join(folder, file));
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    return sdkIsTypesOnly(folder);
  }

  test("as it is, it has no faults", async () => {
    expect(await faultsWith("")).toEqual([]);
  });

  test("a value is found", async () => {
    expect(await faultsWith("export const version: number = 1;")).toEqual([expect.stringContaining("src/sdk leaves code to run")]);
  });

  test("an imported type is found", async () => {
    expect(await faultsWith('export type { Some } from "../errors.ts";')).toEqual([expect.stringContaining("src/sdk imports something")]);
  });

  test("a dependency is found", async () => {
    expect(await faultsWith("", { dependencies: { yaml: "2.9.1" } })).toEqual([expect.stringContaining("has `dependencies`")]);
  });
});

/** A folder of its own with these files; those without a text are left out. */
async function folderWith(files: Readonly<Record<string, string | undefined>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "policy-engine-check-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    if (text !== undefined) await writeFile(join(folder, path), text);
  }
  return folder;
}
