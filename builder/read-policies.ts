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
import type { CheckedPolicy } from "./validation/policy-problems.ts";

/** A found policy whose manifest could be read. */
export interface ReadPolicy extends FoundPolicy {
  readonly manifest: PolicyManifest;
}

export interface PolicyReading {
  /** In the order of their names and versions. */
  readonly policies: readonly ReadPolicy[];
  readonly problems: readonly Problem[];
}

/** Reads the policies in one way or the other. Without problems they can be built: each version comes once. */
export async function readPolicies(
  found: readonly FoundPolicy[],
  read: (folder: PolicyFolder) => Promise<CheckedPolicy>,
): Promise<PolicyReading> {
  const all = await Promise.all(found.map(async (each) => ({ each, ...(await read(each.folder)) })));
  const policies = all
    .flatMap(({ each, manifest }) => (manifest === undefined ? [] : [{ ...each, manifest, folder: named(each.folder, manifest) }]))
    .sort((left, right) => byNameAndVersion(left.manifest, right.manifest));
  return { policies, problems: [...all.flatMap(({ problems }) => problems), ...repeated(policies)] };
}

/** Reads only the manifest. Compiling its schemas takes long: what this engine has once found fine is kept. */
export async function recallPolicy(
  { path, source }: PolicyFolder,
  engine: EngineFacts,
  { cache, schemas }: BuildContext,
): Promise<CheckedPolicy> {
  const text = await readFile(join(path, "policy.yaml"), "utf8");
  let problems: readonly Problem[] = [];
  const manifest = await recall(cache, "manifests", { engine, text }, async () => {
    const parsed = parseManifest({ uri: `${source}/policy.yaml`, text }, schemas);
    if ("manifest" in parsed) return parsed.manifest;
    problems = parsed.problems;
    return undefined;
  });
  return { manifest, problems };
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
