import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { hashPolicyFolder, openPolicyFolder } from "../../builder/discover.ts";
import { discoverLibraries } from "../../builder/policy-libraries.ts";
import { readManifest } from "../../builder/read-manifest.ts";
import { formatProblems } from "../config/problems.ts";
import type { SchemaEngine } from "../config/schema-engine.ts";
import type { PolicyRegistry, PolicyRelease } from "../config/types.ts";

/**
 * The policy in a folder: the one that is compiled in when it is the same by its hash, else what the folder holds now. So somebody who works on
 * a policy runs what is written, and a distribution without sources what it was built from.
 *
 * @throws an `Error` that names the file and the remedy when the folder holds no policy that can be run
 */
export async function loadPolicy(path: string, policies: PolicyRegistry, schemas: SchemaEngine): Promise<PolicyRelease> {
  const folder = await openPolicyFolder(path);
  if (folder === undefined) throw new Error(`${path}: there is no policy.yaml here; name the folder of a policy version`);
  const parsed = await readManifest(folder, schemas);
  if ("problems" in parsed) throw new Error(formatProblems(parsed.problems));
  const { manifest } = parsed;
  const hash = await hashPolicyFolder(folder, await discoverLibraries(join(folder.path, "../../..")));
  const compiledIn = policies.get(`${manifest.name}@${manifest.version}`);
  if (compiledIn?.hash === hash) return compiledIn;
  const definition = await importDefinition(join(folder.path, "index.ts"), `${folder.source}/index.ts`);
  return { manifest, definition, source: folder.source, hash };
}

async function importDefinition(path: string, shown: string): Promise<PolicyRelease["definition"]> {
  const loaded: unknown = await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw new Error(
      `${shown}: cannot be loaded: ${error instanceof Error ? error.message : String(error)}; \`policy-engine lint\` says more`,
      { cause: error },
    );
  });
  const definition = typeof loaded === "object" && loaded !== null && "default" in loaded ? loaded.default : undefined;
  if (!isDefinition(definition)) throw new Error(`${shown}: its default export must be the policy's definition, an object with \`create\``);
  return definition;
}

function isDefinition(value: unknown): value is PolicyRelease["definition"] {
  return typeof value === "object" && value !== null && "create" in value && typeof value.create === "function";
}
