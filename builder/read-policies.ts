import type { SchemaEngine } from "../src/config/schema-engine.ts";
import type { PolicyManifest } from "../src/config/types.ts";
import { type Problem, problem } from "../src/errors.ts";
import type { PolicyFolder } from "./discover.ts";
import { byNameAndVersion } from "./policy-order.ts";
import { readManifest } from "./read-manifest.ts";
import type { FoundPolicy } from "./sources/found-policy.ts";

/** A found policy whose manifest could be read. */
export interface ReadPolicy extends FoundPolicy {
  readonly manifest: PolicyManifest;
}

/** Reads the manifests. Without problems the policies can be built, in the order of their names and versions: each comes once. */
export async function readPolicies(
  found: readonly FoundPolicy[],
  schemas: SchemaEngine,
): Promise<{ readonly policies: readonly ReadPolicy[]; readonly problems: readonly Problem[] }> {
  const read = await Promise.all(found.map(async (each) => ({ each, parsed: await readManifest(each.folder, schemas) })));
  const problems = read.flatMap(({ parsed }) => ("problems" in parsed ? parsed.problems : []));
  const policies = read
    .flatMap(({ each, parsed }) =>
      "problems" in parsed ? [] : [{ ...each, manifest: parsed.manifest, folder: named(each.folder, parsed.manifest) }],
    )
    .sort((left, right) => byNameAndVersion(left.manifest, right.manifest));
  return { policies, problems: [...problems, ...repeated(policies)] };
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
