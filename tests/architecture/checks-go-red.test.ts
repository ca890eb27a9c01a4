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
  const manifest = "name: demo\nversion: 1.0.0\nsummary: Does nothing.\nsdk: 1\n";
  const whole = {
    "policies/demo/v1.0.0/policy.yaml": manifest,
    "policies/demo/v1.0.0/index.ts": 'import type { PolicyDefinition } from "@envoy-policy-engine/sdk";\n',
    "policies/demo/v1.0.0/parameters.ts": "",
    "policies/demo/v1.0.0/cases.yaml": "cases: []\n",
    "policies/demo/v1.0.0/README.md": "# demo\n",
  };
  const faultsIn = async (files: Readonly<Record<string, string | undefined>>) =>
    policyFoldersAreComplete(await folderWith({ ...whole, ...files }));

  test("a whole one has no faults", async () => {
    expect(await faultsIn({})).toEqual([]);
  });

  test.each(["index.ts", "parameters.ts", "cases.yaml", "README.md"])("one without %s", async (file) => {
    expect(await faultsIn({ [`policies/demo/v1.0.0/${file}`]: undefined })).toEqual([
      expect.stringContaining(`policies/demo/v1.0.0: no ${file}`),
    ]);
  });

  test("one without a manifest", async () => {
    expect(await faultsIn({ "policies/demo/v1.0.0/policy.yaml": undefined })).toEqual([
      expect.stringContaining("policies/demo/v1.0.0: not a policy version"),
    ]);
  });

  test("one whose name is no version", async () => {
    expect(await faultsIn({ "policies/demo/latest/policy.yaml": manifest })).toEqual([
      expect.stringContaining("policies/demo/latest: not a policy version"),
    ]);
  });

  test("one whose manifest says another name and version", async () => {
    expect(await faultsIn({ "policies/demo/v1.0.0/policy.yaml": manifest.replace("demo", "other").replace("1.0.0", "1.0.1") })).toEqual([
      expect.stringContaining("`name: other`"),
      expect.stringContaining("`version: 1.0.1`"),
    ]);
  });

  test("one whose manifest has a problem", async () => {
    expect(await faultsIn({ "policies/demo/v1.0.0/policy.yaml": `${manifest}sumary: Typo.\n` })).toEqual([
      expect.stringContaining("policies/demo/v1.0.0/policy.yaml:5:1: error[unknown-key]"),
    ]);
  });

  test("a shared package without a package.json and a README", async () => {
    expect(await faultsIn({ "policies/lib/keys/keys.ts": "" })).toEqual([
      "policies/lib/keys: no package.json",
      "policies/lib/keys: no README.md",
    ]);
    expect(await faultsIn({ "policies/lib/keys/package.json": "{}", "policies/lib/keys/README.md": "# keys\n" })).toEqual([]);
  });

  test("one that imports a package it does not name", async () => {
    const files = {
      "policies/demo/v1.0.0/index.ts":
        'import { parse } from "yaml";\nimport pad from "@scope/pad/left";\nexport { other } from "./other.ts";\n',
    };
    expect(await faultsIn(files)).toEqual([
      expect.stringContaining("index.ts imports `yaml`"),
      expect.stringContaining("index.ts imports `@scope/pad`"),
    ]);
    expect(
      await faultsIn({ ...files, "policies/demo/v1.0.0/package.json": '{ "dependencies": { "yaml": "2.9.1", "@scope/pad": "1.0.0" } }' }),
    ).toEqual([]);
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
