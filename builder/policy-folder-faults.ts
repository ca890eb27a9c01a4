import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { formatProblems } from "../src/config/problems.ts";
import type { SchemaEngine } from "../src/config/schema-engine.ts";
import type { PolicyFolder } from "./discover.ts";
import { dependenciesOf } from "./policy-libraries.ts";
import { readManifest } from "./read-manifest.ts";

/** What a policy needs besides its manifest, and why. */
const needed = {
  "index.ts": "its default export is the policy's definition",
  "parameters.ts": "the types of its parameters; `npm run generate` makes it",
  "cases.yaml": "a policy without cases has never been seen to work",
  "README.md": "what it does, every parameter, an example",
} as const;

/**
 * What is missing or contradictory in the folder of a policy version.
 *
 * @returns one text for each fault, `policies/<name>/v<version>: ...`
 */
export async function policyFolderFaults(folder: PolicyFolder, schemas: SchemaEngine): Promise<readonly string[]> {
  const missing = Object.entries(needed)
    .filter(([file]) => !folder.files.includes(file))
    .map(([file, why]) => `no ${file}: ${why}`);
  const faults = [...missing, ...(await manifestFaults(folder, schemas)), ...(await importFaults(folder))];
  return faults.map((fault) => `${folder.source}: ${fault}`);
}

async function manifestFaults(folder: PolicyFolder, schemas: SchemaEngine): Promise<readonly string[]> {
  const parsed = await readManifest(folder, schemas);
  if ("problems" in parsed) return [`policy.yaml has problems:\n${formatProblems(parsed.problems)}`];
  const { name, version } = parsed.manifest;
  return [
    ...(name === folder.name ? [] : [`policy.yaml says \`name: ${name}\`, the folder says \`${folder.name}\``]),
    ...(version === folder.version ? [] : [`policy.yaml says \`version: ${version}\`, the folder says \`${folder.version}\``]),
  ];
}

/** A policy depends on the SDK and on what its own package.json names; the engine's packages are not there for it. */
async function importFaults(folder: PolicyFolder): Promise<readonly string[]> {
  const own = folder.files.includes("package.json")
    ? dependenciesOf(JSON.parse(await readFile(join(folder.path, "package.json"), "utf8")))
    : [];
  const allowed = new Set(["@envoy-policy-engine/sdk", ...own]);
  const modules = folder.files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const faults = modules.map(async (file) => {
    const packages = importedPackages(await readFile(join(folder.path, file), "utf8"));
    return packages
      .filter((name) => !allowed.has(name))
      .map((name) => `${file} imports \`${name}\`: name it in a package.json of the policy's own`);
  });
  return (await Promise.all(faults)).flat();
}

function importedPackages(code: string): readonly string[] {
  const specifiers = [...code.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(([, specifier = ""]) => specifier);
  return specifiers
    .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
    .map((specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
}
