import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { hashPolicyFolder, openPolicyFolder } from "../../builder/discover.ts";
import { discoverLibraries } from "../../builder/policy-libraries.ts";
import { readManifest } from "../../builder/read-manifest.ts";
import type { SchemaEngine } from "../config/schema-engine.ts";
import type { PolicyRegistry, PolicyRelease } from "../config/types.ts";
import { type Problem, problem } from "../errors.ts";

/**
 * The policy in a folder: the one that is compiled in when it is the same by its hash, else what the folder holds now. So somebody who works on
 * a policy runs what is written, and a distribution without sources what it was built from.
 */
export async function loadPolicy(
  path: string,
  policies: PolicyRegistry,
  schemas: SchemaEngine,
): Promise<{ readonly release: PolicyRelease } | { readonly problems: readonly Problem[] }> {
  const folder = await openPolicyFolder(resolve(path), path);
  const parsed = await readManifest(folder, schemas);
  if ("problems" in parsed) return parsed;
  const { manifest } = parsed;
  const hash = await hashPolicyFolder(folder, await discoverLibraries(join(folder.path, "../../..")));
  const compiledIn = policies.get(`${manifest.name}@${manifest.version}`);
  if (compiledIn?.hash === hash) return { release: compiledIn };
  const loaded = await importDefinition(join(folder.path, "index.ts"));
  if ("definition" in loaded) return { release: { manifest, definition: loaded.definition, source: folder.source, hash } };
  const position = { uri: `${folder.source}/index.ts`, line: 1, column: 1 };
  return { problems: [problem("case-policy", { position, path: "" }, { detail: loaded.fault })] };
}

async function importDefinition(path: string): Promise<{ readonly definition: PolicyRelease["definition"] } | { readonly fault: string }> {
  try {
    const loaded: unknown = await import(pathToFileURL(path).href);
    const definition = typeof loaded === "object" && loaded !== null && "default" in loaded ? loaded.default : undefined;
    return isDefinition(definition) ? { definition } : { fault: "its default export is no definition, which is an object with `create`" };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

function isDefinition(value: unknown): value is PolicyRelease["definition"] {
  return typeof value === "object" && value !== null && "create" in value && typeof value.create === "function";
}
