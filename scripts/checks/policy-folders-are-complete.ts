import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { discoverPolicies } from "../../builder/discover.ts";
import { discoverLibraries } from "../../builder/policy-libraries.ts";
import { validateLibraries, validatePolicies } from "../../builder/validation/validate-policies.ts";
import { formatProblems } from "../../src/config/problems.ts";
import { createSchemaEngine } from "../../src/config/schema-engine.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";

/** Looks at every folder under `policies/`, also at those that the builder would pass over, and at the packages that policies share. */
export async function policyFoldersAreComplete(root: string): Promise<readonly string[]> {
  const folders = await discoverPolicies(root);
  const libraries = [...(await discoverLibraries(root)).values()];
  const schemas = createSchemaEngine(loadPatternEngine().engine);
  const problems = [...(await validatePolicies(folders, schemas)), ...(await validateLibraries(libraries))];
  const found = new Set([...folders, ...libraries].map(({ source }) => source));
  const ignored = (await versionFolders(root)).filter((source) => !found.has(source));
  return [
    ...(problems.length > 0 ? [formatProblems(problems)] : []),
    ...ignored.map((source) =>
      source.startsWith("policies/lib/")
        ? `${source}: not a package; it needs a package.json`
        : `${source}: not a policy version; it needs a policy.yaml and a name like v1.0.0`,
    ),
  ];
}

async function versionFolders(root: string): Promise<readonly string[]> {
  const names = await foldersIn(root, "policies");
  return (await Promise.all(names.map((name) => foldersIn(root, name)))).flat();
}

async function foldersIn(root: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => `${folder}/${entry.name}`);
}
