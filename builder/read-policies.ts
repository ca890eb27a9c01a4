import type { SchemaEngine } from "../src/config/schema-engine.ts";
import type { PolicyManifest } from "../src/config/types.ts";
import { type Problem, problem } from "../src/errors.ts";
import type { PolicyFolder } from "./discover.ts";
import { byNameAndVersion } from "./policy-order.ts";
import { readManifest } from "./read-manifest.ts";
import type { FoundPolicy } from "./sources/found-policy.ts";
import { type CheckedPolicy, checkPolicy } from "./validation/policy-problems.ts";

/** A found policy whose manifest could be read. */
export interface ReadPolicy extends FoundPolicy {
  readonly manifest: PolicyManifest;
}

export interface PolicyReading {
  /** In the order of their names and versions. */
  readonly policies: readonly ReadPolicy[];
  readonly problems: readonly Problem[];
}

/** Only reads the manifests. Without problems the policies can be built: each comes once. */
export async function readPolicies(found: readonly FoundPolicy[], schemas: SchemaEngine): Promise<PolicyReading> {
  return readEach(found, async ({ folder }) => {
    const parsed = await readManifest(folder, schemas);
    return "problems" in parsed ? { manifest: undefined, problems: parsed.problems } : { ...parsed, problems: [] };
  });
}

/** Reads the manifests and looks for everything that is wrong with the policies, without compiling or running them. */
export async function checkPolicies(found: readonly FoundPolicy[], schemas: SchemaEngine): Promise<PolicyReading> {
  return readEach(found, ({ folder }) => checkPolicy(folder, schemas, "basic"));
}

async function readEach(found: readonly FoundPolicy[], read: (each: FoundPolicy) => Promise<CheckedPolicy>): Promise<PolicyReading> {
  const all = await Promise.all(found.map(async (each) => ({ each, ...(await read(each)) })));
  const policies = all
    .flatMap(({ each, manifest }) => (manifest === undefined ? [] : [{ ...each, manifest, folder: named(each.folder, manifest) }]))
    .sort((left, right) => byNameAndVersion(left.manifest, right.manifest));
  return { policies, problems: [...all.flatMap(({ problems }) => problems), ...repeated(policies)] };
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
