import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseManifest } from "../src/config/manifest.ts";
import type { PolicyManifest } from "../src/config/types.ts";
import { type Problem, problem } from "../src/errors.ts";
import type { BuildContext } from "./build-context.ts";
import type { PolicyFolder } from "./discover.ts";
import type { EngineFacts } from "./distribution/lock.ts";
import { recall } from "./kept.ts";
import { byNameAndVersion } from "./policy-order.ts";
import type { FoundPolicy } from "./sources/found-policy.ts";

/** A found policy whose manifest could be read. */
export interface ReadPolicy extends FoundPolicy {
  readonly manifest: PolicyManifest;
}

/** Reads the manifests. Without problems the policies can be built, in the order of their names and versions: each comes once. */
export async function readPolicies(
  found: readonly FoundPolicy[],
  engine: EngineFacts,
  context: BuildContext,
): Promise<{ readonly policies: readonly ReadPolicy[]; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const read = await Promise.all(
    found.map(async (each): Promise<readonly ReadPolicy[]> => {
      const manifest = await recallManifest(each.folder, engine, context, (all) => problems.push(...all));
      return manifest === undefined ? [] : [{ ...each, manifest, folder: named(each.folder, manifest) }];
    }),
  );
  const policies = read.flat().sort((left, right) => byNameAndVersion(left.manifest, right.manifest));
  return { policies, problems: [...problems, ...repeated(policies)] };
}

/** Undefined when something is wrong with it, which is reported. Compiling a schema takes long: what this engine has once found fine is kept. */
export async function recallManifest(
  { path, source }: PolicyFolder,
  engine: EngineFacts,
  { cache, schemas }: BuildContext,
  report: (problems: readonly Problem[]) => void,
): Promise<PolicyManifest | undefined> {
  const text = await readFile(join(path, "policy.yaml"), "utf8");
  return recall(cache, "manifests", { engine, text }, async () => {
    const parsed = parseManifest({ uri: `${source}/policy.yaml`, text }, schemas);
    if ("manifest" in parsed) return parsed.manifest;
    report(parsed.problems);
    return undefined;
  });
}

/** A folder outside of a tree of policies has no name of its own. */
function named(folder: PolicyFolder, { name, version }: PolicyManifest): PolicyFolder {
  return { ...folder, name: folder.name || name, version: folder.version || version };
}

function repeated(policies: readonly ReadPolicy[]): readonly Problem[] {
  const groups = Map.groupBy(policies, ({ manifest: { name, version } }) => `${name}@${version}`);
  return [...groups].flatMap(([policy, [first, ...others]]) =>
    others.map(({ where, source }) => problem("policy-twice", where, { policy, sources: [first?.source ?? "", source] })),
  );
}
