import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { discoverPolicies, hashPolicyFolder } from "../builder/discover.ts";
import { generateParameters } from "../builder/generate-parameters.ts";
import { checkoutRegistry, generateRegistry, type RegistryEntry } from "../builder/generate-registry.ts";
import type { GeneratedFile } from "../builder/generated-file.ts";
import { discoverLibraries } from "../builder/policy-libraries.ts";
import { readManifest } from "../builder/read-manifest.ts";
import { formatProblems } from "../src/config/problems.ts";
import { createSchemaEngine } from "../src/config/schema-engine.ts";
import type { Problem } from "../src/errors.ts";
import { loadPatternEngine } from "../src/expressions/patterns.ts";
import { generateComposeConfigs } from "./generate-compose-configs.ts";
import { generateEditorSchemas } from "./generate-editor-schemas.ts";
import { generateErrorsPage } from "./generate-errors-page.ts";
import { generateProtos } from "./generate-protos.ts";

/**
 * Everything in a checkout that is generated, as it should be: the protos' types, each policy's `parameters.ts`, the policy registry,
 * `docs/errors.md`, the schemas for editors and the configuration of the demo in containers.
 *
 * @throws when a source has a fault; the message says which and where
 */
export async function generatedFiles(root: string): Promise<readonly GeneratedFile[]> {
  const policies = await readPolicies(root);
  const parameters = policies.map(({ source, manifest }) => ({ path: `${source}/parameters.ts`, text: generateParameters(manifest) }));
  return [
    ...(await generateProtos(root)),
    ...parameters,
    ...generateRegistry(policies, checkoutRegistry),
    await generateErrorsPage(root),
    ...generateEditorSchemas(policies.map(({ manifest }) => manifest)),
    ...(await generateComposeConfigs()),
  ];
}

async function readPolicies(root: string): Promise<readonly RegistryEntry[]> {
  const schemas = createSchemaEngine(loadPatternEngine().engine);
  const problems: Problem[] = [];
  const entries: RegistryEntry[] = [];
  const libraries = await discoverLibraries(root);
  for (const folder of await discoverPolicies(root)) {
    const parsed = await readManifest(folder, schemas);
    if ("problems" in parsed) problems.push(...parsed.problems);
    else
      entries.push({
        manifest: parsed.manifest,
        folder: folder.source,
        source: folder.source,
        hash: await hashPolicyFolder(folder, libraries),
      });
  }
  if (problems.length > 0) throw new Error(`manifests with problems, nothing was generated:\n${formatProblems(problems)}`);
  return entries;
}

/** A generated file that is not as it should be; without a text it should not be there at all. */
export interface Difference {
  readonly path: string;
  readonly text: string | undefined;
}

/** What differs between a checkout and what should be in it. Everything under `src/generated/` is generated. */
export async function differences(root: string, files: readonly GeneratedFile[]): Promise<readonly Difference[]> {
  const wanted = new Set(files.map(({ path }) => path));
  const stray = (await filesBelow(root, "src/generated")).filter((path) => !wanted.has(path));
  const current = await Promise.all(files.map(({ path }) => readFile(join(root, path), "utf8").catch(() => undefined)));
  return [...files.filter(({ text }, index) => text !== current[index]), ...stray.map((path) => ({ path, text: undefined }))];
}

async function filesBelow(root: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(root, path) : [path];
    }),
  );
  return nested.flat();
}
