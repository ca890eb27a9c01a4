import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseVersion } from "../src/config/semver.ts";
import { filesIn } from "./files-in.ts";
import { dependenciesOf, librariesBehind, type PolicyLibrary } from "./policy-libraries.ts";
import { byNameAndVersion } from "./policy-order.ts";

/** A folder that holds one version of a policy. */
export interface PolicyFolder {
  /** Both as the folders are called; the manifest must say the same. Empty outside of `NAME/vVERSION`. */
  readonly name: string;
  readonly version: string;
  /** Where it is on this machine. */
  readonly path: string;
  /** Relative to the folder that was searched, with forward slashes: `policies/set-header/v1.0.0`. */
  readonly source: string;
  /** Relative to the folder, with forward slashes, sorted. Without what was installed into it. */
  readonly files: readonly string[];
}

/**
 * Every `policies/<name>/v<version>/` below `root` that has a manifest, ordered by name and version. Nothing is imported and no manifest is
 * read: what a folder is called and that it has a `policy.yaml` is enough.
 *
 * @throws when `root` has no folder `policies`
 */
export async function discoverPolicies(root: string): Promise<readonly PolicyFolder[]> {
  const found: PolicyFolder[] = [];
  for (const name of await foldersIn(join(root, "policies"))) {
    for (const folder of await foldersIn(join(root, "policies", name))) {
      const version = folder.slice(1);
      if (!folder.startsWith("v") || parseVersion(version) === undefined) continue;
      const path = join(root, "policies", name, folder);
      const files = await filesIn(path);
      if (files.includes("policy.yaml")) found.push({ name, version, path, source: `policies/${name}/${folder}`, files });
    }
  }
  return found.sort(byNameAndVersion);
}

/**
 * The folder of one policy version, wherever it is. In `NAME/vVERSION` it has a name and a version; elsewhere it has none, and what the manifest says
 * holds.
 *
 * @param source what it is called in messages
 * @throws when there is no such folder
 */
export async function openPolicyFolder(path: string, source: string): Promise<PolicyFolder> {
  const version = basename(path).slice(1);
  const named = basename(path).startsWith("v") && parseVersion(version) !== undefined;
  return { path, source, name: named ? basename(dirname(path)) : "", version: named ? version : "", files: await filesIn(path) };
}

/**
 * What a policy folder runs as: SHA-256 over the names and contents of its manifest, its code, its dependencies, and the same of the shared
 * packages behind it, hex. READMEs, cases and tests do not count, for they change nothing of what runs, nor does `parameters.ts`, which
 * follows from the manifest.
 */
export async function hashPolicyFolder(folder: PolicyFolder, libraries: ReadonlyMap<string, PolicyLibrary>): Promise<string> {
  const hash = createHash("sha256");
  const dependencies = folder.files.includes("package.json")
    ? dependenciesOf(JSON.parse(await readFile(join(folder.path, "package.json"), "utf8")))
    : [];
  const shared = librariesBehind(dependencies, libraries).map(({ name, path, files }) => ({ prefix: `${name}/`, path, files }));
  for (const { prefix, path, files } of [{ prefix: "", ...folder }, ...shared]) {
    for (const file of files) {
      if (notRun.has(file) || file.endsWith(".test.ts")) continue;
      const content = await readFile(join(path, file));
      hash.update(`${prefix}${file}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest("hex");
}

const notRun = new Set(["README.md", "cases.yaml", "parameters.ts"]);

async function foldersIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
