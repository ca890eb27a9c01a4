import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { discoverPolicies } from "../../builder/discover.ts";
import { policyFolderFaults } from "../../builder/policy-folder-faults.ts";
import { createSchemaEngine } from "../../src/config/schema-engine.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";

/** Looks at every folder under `policies/`, also at those that the builder would pass over, and at the packages that policies share. */
export async function policyFoldersAreComplete(root: string): Promise<readonly string[]> {
  const folders = await discoverPolicies(root);
  const schemas = createSchemaEngine(loadPatternEngine().engine);
  const faults = await Promise.all(folders.map((folder) => policyFolderFaults(folder, schemas)));
  const found = new Set(folders.map(({ source }) => source));
  const ignored = (await versionFolders(root)).filter((source) => !found.has(source));
  return [
    ...faults.flat(),
    ...ignored.map((source) => `${source}: not a policy version; it needs a policy.yaml and a name like v1.0.0`),
    ...(await libraryFaults(root)),
  ];
}

async function libraryFaults(root: string): Promise<readonly string[]> {
  const folders = await foldersIn(root, "policies/lib").catch(() => []);
  const faults = folders.map(async (folder) => {
    const files = await readdir(join(root, folder));
    return ["package.json", "README.md"].filter((file) => !files.includes(file)).map((file) => `${folder}: no ${file}`);
  });
  return (await Promise.all(faults)).flat();
}

async function versionFolders(root: string): Promise<readonly string[]> {
  const names = await foldersIn(root, "policies");
  // Packages that policies share live here; they are no policies.
  const policies = names.filter((name) => name !== "policies/lib");
  return (await Promise.all(policies.map((name) => foldersIn(root, name)))).flat();
}

async function foldersIn(root: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => `${folder}/${entry.name}`);
}
