import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { copyFiles } from "./copy-files.ts";
import type { Workspace } from "./dependencies/npm-project.ts";
import type { PolicyFolder } from "./discover.ts";
import { discoverLibraries, librariesBehind, type PolicyLibrary } from "./policy-libraries.ts";
import type { ReadPolicy } from "./read-policies.ts";

export interface LaidOutPolicy extends Omit<ReadPolicy, "folder"> {
  /** In the build's folder: `policies/geo/v1.2.3`. */
  readonly folder: string;
  /** Where it was copied from; its `source` is for messages. */
  readonly original: PolicyFolder;
}

export interface LaidOut {
  readonly policies: readonly LaidOutPolicy[];
  readonly workspaces: readonly Workspace[];
  /** Those of the checkout, by name. */
  readonly libraries: ReadonlyMap<string, PolicyLibrary>;
}

/** Copies the policies, and the packages of the checkout that they share, into the build's folder; tests stay behind. */
export async function layOutPolicies(chosen: readonly ReadPolicy[], build: string, engineRoot: string): Promise<LaidOut> {
  const libraries = await discoverLibraries(engineRoot);
  const used = new Set<PolicyLibrary>();
  const workspaces: Workspace[] = [];
  const policies: LaidOutPolicy[] = [];
  for (const { folder: original, ...policy } of chosen) {
    const { name, version } = policy.manifest;
    const folder = `policies/${name}/v${version}`;
    const dependencies = await readDependencies(original);
    for (const library of librariesBehind(Object.keys(dependencies), libraries)) used.add(library);
    workspaces.push({ path: folder, manifest: { name: `policy-${name}-${version}`, version, dependencies } });
    await copyFiles(
      original.path,
      // What it says was read; what it does not say, such as `type`, must not change how the policy is compiled.
      original.files.filter((file) => file !== "package.json" && !isTest(file)),
      join(build, folder),
    );
    policies.push({ ...policy, folder, original });
  }
  for (const library of [...used].sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = `libraries/${basename(library.path)}`;
    await copyFiles(
      library.path,
      library.files.filter((file) => !isTest(file)),
      join(build, path),
    );
    workspaces.push({ path, manifest: await readPackage(library.path) });
  }
  workspaces.push({ path: "engine/src/sdk", manifest: await readPackage(join(engineRoot, "src/sdk")) });
  return { policies, workspaces, libraries };
}

const isTest = (file: string): boolean => file.endsWith(".test.ts");

async function readDependencies({ path, files }: PolicyFolder): Promise<Readonly<Record<string, string>>> {
  return files.includes("package.json") ? (await readPackage(path)).dependencies : {};
}

async function readPackage(folder: string): Promise<Workspace["manifest"]> {
  const manifest: Partial<Workspace["manifest"]> = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  return { name: manifest.name ?? "", version: manifest.version ?? "0.0.0", dependencies: manifest.dependencies ?? {} };
}
