import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { discoverPolicies, hashPolicyFolder } from "../../builder/discover.ts";
import { checkoutRegistry, generateRegistry } from "../../builder/generate-registry.ts";
import { discoverLibraries } from "../../builder/policy-libraries.ts";
import type { PolicyManifest } from "../../src/config/types.ts";
import { policies } from "../../src/generated/registry.ts";

describe("discovery", () => {
  test("finds folders by their manifest and orders them by name and version, not by text", async () => {
    const root = await folderWith([
      "policies/b/v2.0.0/policy.yaml",
      "policies/b/v10.0.0/policy.yaml",
      "policies/b/v2.0.0-rc.1/policy.yaml",
      "policies/a/v1.0.0/policy.yaml",
      "policies/a/v1.0.0/deep/part.ts",
      "policies/a/v1.0.0/node_modules/left-pad/index.js",
      "policies/a/v1.0.0/deep/node_modules/left-pad/index.js",
      // None of these is a policy version.
      "policies/a/v1.1.0/index.ts",
      "policies/a/1.2.0/policy.yaml",
      "policies/a/v1.3/policy.yaml",
      "policies/a/vlatest/policy.yaml",
      "policies/lib/keys/package.json",
      "policies/policy.yaml",
    ]);
    const found = await discoverPolicies(root);
    expect(found.map(({ name, version }) => `${name}@${version}`)).toEqual(["a@1.0.0", "b@2.0.0-rc.1", "b@2.0.0", "b@10.0.0"]);
    expect(found[0]).toMatchObject({ source: "policies/a/v1.0.0", files: ["deep/part.ts", "policy.yaml"] });
  });

  test("without a folder `policies` there is nothing to search", async () => {
    await expect(discoverPolicies(await folderWith([]))).rejects.toThrow("policies");
  });
});

describe("the hash of a policy folder", () => {
  const files = {
    "policy.yaml": "name: a",
    "index.ts": "1",
    "lib/part.ts": "2",
    "README.md": "3",
    "cases.yaml": "4",
    "parameters.ts": "5",
  };
  const hashOf = async (changes: Readonly<Record<string, string>>, shared: Readonly<Record<string, string>> = {}): Promise<string> => {
    const root = await mkdtemp(join(tmpdir(), "policy-engine-hash-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    for (const [file, text] of Object.entries({ ...files, ...changes })) await write(join(root, "policies/a/v1.0.0", file), text);
    for (const [file, text] of Object.entries(shared)) await write(join(root, "policies/lib", file), text);
    const [folder] = await discoverPolicies(root);
    return folder === undefined ? "" : hashPolicyFolder(folder, await discoverLibraries(root));
  };

  test("is the same for the same content, wherever it is", async () => {
    expect(await hashOf({})).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashOf({})).toBe(await hashOf({}));
  });

  test.each(["policy.yaml", "index.ts", "lib/part.ts"])("changes with %s", async (file) => {
    expect(await hashOf({ [file]: "other" })).not.toBe(await hashOf({}));
  });

  test("changes with package.json", async () => {
    expect(await hashOf({ "package.json": "{}" })).not.toBe(await hashOf({}));
  });

  test.each(["README.md", "cases.yaml", "parameters.ts", "index.test.ts"])("does not change with %s, which does not run", async (file) => {
    expect(await hashOf({ [file]: "other" })).toBe(await hashOf({}));
  });

  describe("covers the shared packages behind it", () => {
    const uses = { "package.json": '{ "dependencies": { "@a/one": "1.0.0", "left-pad": "1.0.0" } }' };
    const shared = {
      "one/package.json": '{ "name": "@a/one", "dependencies": { "@a/two": "1.0.0" } }',
      "one/one.ts": "1",
      "one/README.md": "one",
      "two/package.json": '{ "name": "@a/two", "dependencies": { "@a/one": "1.0.0" } }',
      "two/deep/two.ts": "2",
      "three/package.json": '{ "name": "@a/three" }',
      "three/three.ts": "3",
    };
    const changed = (file: string, text: string) => hashOf(uses, { ...shared, [file]: text });

    test.each([
      ["one/one.ts", "other"],
      ["two/deep/two.ts", "other"],
      ["two/more.ts", ""],
      ["one/package.json", '{ "name": "@a/one", "dependencies": { "@a/two": "1.0.0", "jose": "1.0.0" } }'],
    ])("changes with %s", async (file, text) => {
      expect(await changed(file, text)).not.toBe(await hashOf(uses, shared));
    });

    test.each(["one/README.md", "one/one.test.ts", "three/three.ts", "four/four.ts"])("does not change with %s", async (file) => {
      expect(await changed(file, "other")).toBe(await hashOf(uses, shared));
    });

    test("a policy that uses none does not change with any", async () => {
      expect(await hashOf({}, shared)).toBe(await hashOf({}));
    });

    test("a package without a name is refused", async () => {
      await expect(changed("three/package.json", "{}")).rejects.toThrow("policies/lib/three/package.json has no `name`");
    });
  });

  test("tells a file from one whose name took over a part of its content", async () => {
    expect(await hashOf({ a: "bc" })).not.toBe(await hashOf({ ab: "c" }));
  });
});

describe("the registry", () => {
  const manifest = (name: string, version: string): PolicyManifest => ({
    name,
    version,
    summary: "Demo.",
    sdk: 1,
    protects: false,
    metadata: { reads: [], writes: {} },
    mutates: [],
    headers: { request: [], response: [] },
    replies: "sometimes",
    parameters: { type: "object" },
  });

  test("lists every policy once, with its manifest in a module of its own", () => {
    const entries = [manifest("set-header", "1.0.0"), manifest("set-header", "2.0.0-rc.1")].map((each) => ({
      manifest: each,
      folder: `policies/${each.name}/v${each.version}`,
      source: `policies/${each.name}/v${each.version}`,
      hash: "ab".repeat(32),
    }));
    const files = generateRegistry(entries, checkoutRegistry);
    expect(files.map(({ path }) => path)).toEqual([
      "src/generated/registry.ts",
      "src/generated/manifests/set-header-1.0.0.ts",
      "src/generated/manifests/set-header-2.0.0-rc.1.ts",
    ]);
    expect(files[0]?.text).toContain('import setHeader_2_0_0_rc_1 from "../../policies/set-header/v2.0.0-rc.1/index.ts";');
    expect(files[0]?.text).toContain("definition: setHeader_1_0_0,");
  });

  test("refuses one version of a policy in two places", () => {
    const entry = (source: string) => ({ manifest: manifest("a", "1.0.0"), folder: source, source, hash: "" });
    expect(() => generateRegistry([entry("policies/a/v1.0.0"), entry("other/a/v1.0.0")], checkoutRegistry)).toThrow(
      /a@1\.0\.0 is in policies\/a\/v1\.0\.0 and in other/,
    );
  });

  test("of this checkout has each policy under its name and version, with a definition", () => {
    expect([...policies.keys()]).toEqual([...policies.values()].map(({ manifest: { name, version } }) => `${name}@${version}`));
    expect([...policies.values()].map(({ definition }) => typeof definition.create)).toEqual(Array(policies.size).fill("function"));
    expect(policies.size).toBeGreaterThan(0);
  });
});

async function folderWith(files: readonly string[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "policy-engine-discover-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const file of files) await write(join(root, file), "");
  return root;
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
