import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BuildInfo } from "../../src/build-info.ts";
import { canonicalHash } from "../../src/config/canonical.ts";
import { type Problem, problem, type Where } from "../../src/errors.ts";
import { type Addon, findAddon } from "../addon.ts";
import type { BuildContext, LockMode } from "../build-context.ts";
import { linkPackages } from "../dependencies/link-packages.ts";
import { installPackages, resolvePackages } from "../dependencies/resolve-packages.ts";
import { hashPolicyFolder } from "../discover.ts";
import { compareLocks, type LockChange } from "../distribution/compare-locks.ts";
import { type Lock, lockHash, type NpmPackages } from "../distribution/lock.ts";
import { BuildFailure } from "../events.ts";
import { generateEntry } from "../generate-entry.ts";
import { generateParameters } from "../generate-parameters.ts";
import { generateRegistry } from "../generate-registry.ts";
import { type LaidOutPolicy, layOutPolicies } from "../lay-out-policies.ts";
import { lockedAddons } from "../locked-addons.ts";
import { readPolicies, recallPolicy } from "../read-policies.ts";
import { sourceCommit } from "../source-commit.ts";
import { buildTools } from "../tools.ts";
import type { Discovered } from "./discover.ts";

/** A project that compiles: the chosen policies, what they depend on, and the files that tie them to the engine. */
export interface Generated {
  /** The build's folder. `engine` in it is the checkout, `generated/entry.ts` what is bundled. */
  readonly folder: string;
  readonly policies: readonly GeneratedPolicy[];
  /** As it is to be on disk when the build succeeds. */
  readonly lock: Lock;
  /** As it is on disk; undefined when there is none. */
  readonly locked: Lock | undefined;
  /** From what is on disk to what is to be. */
  readonly changes: readonly LockChange[];
  readonly buildInfo: BuildInfo;
  /** Undefined where RE2 could not be compiled. */
  readonly addon: Addon | undefined;
}

export interface GeneratedPolicy extends LaidOutPolicy {
  /** SHA-256 of what it runs as, hex. */
  readonly hash: string;
}

/**
 * Lays out the build's folder and makes the lock. The checkout and the policies' own folders are only read.
 *
 * @param lockFile where the lock is, for messages
 * @throws a `BuildFailure` when manifests are wrong, when dependencies cannot be had, when something is not what was locked, and, when the lock is enforced, on any
 * difference to it
 */
export async function generate(
  discovered: Discovered,
  { mode, lockFile }: { readonly mode: LockMode; readonly lockFile: string },
  context: BuildContext,
): Promise<Generated> {
  const { policies: chosen, problems } = await readPolicies(discovered.policies, (folder) =>
    recallPolicy(folder, discovered.engine, context),
  );
  if (problems.length > 0) throw new BuildFailure(problems);
  const folder = join(context.scratch, "build");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await symlink(context.engineRoot, join(folder, "engine"), "dir");
  const { policies: laidOut, workspaces, libraries } = await layOutPolicies(chosen, folder, context.engineRoot);
  const policies = await Promise.all(
    laidOut.map(async (policy) => ({ ...policy, hash: await hashPolicyFolder(policy.original, libraries) })),
  );

  const where: Where = { position: { uri: lockFile, line: 1, column: 1 }, path: "" };
  const asker = { home: discovered.home, where };
  const packages = await resolvePackages(workspaces, mode === "renew" ? undefined : discovered.lock?.packages, asker, context);
  const tree = await installPackages(workspaces, packages, asker, context);
  await linkPackages(folder, tree, workspaces, packages);

  const addon = await findAddon(context.engineRoot);
  const lock = await makeLock(
    discovered,
    policies,
    { packages, addons: lockedAddons(discovered.lock?.addons ?? {}, addon, mode, where) },
    context,
  );
  const changes = discovered.lock === undefined ? [] : compareLocks(discovered.lock, lock);
  if (mode === "enforce" && changes.length > 0) throw new BuildFailure(changes.map((change) => changed(change, where)));

  const buildInfo: BuildInfo = {
    ...lock.distribution,
    lockHash: lockHash(lock),
    sourceCommit: await sourceCommit(discovered.home),
    engine: lock.engine.version,
    ...lock.tools,
  };
  await writeGenerated(folder, policies, buildInfo);
  return { folder, policies, lock, locked: discovered.lock, changes, buildInfo, addon };
}

async function writeGenerated(folder: string, policies: readonly GeneratedPolicy[], buildInfo: BuildInfo): Promise<void> {
  const entries = policies.map(({ manifest, source, hash, folder: path }) => ({ manifest, source, hash, folder: path }));
  const place = { folder: "generated", engine: "../engine/src", maker: "policy-engine build" };
  const files = [
    ...generateRegistry(entries, place),
    ...policies.map(({ folder: path, manifest }) => ({ path: `${path}/parameters.ts`, text: generateParameters(manifest) })),
    ...generateEntry(buildInfo),
  ];
  for (const { path, text } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function makeLock(
  { distribution: { name, version }, engine, sources }: Discovered,
  policies: readonly GeneratedPolicy[],
  others: { readonly packages: NpmPackages; readonly addons: Lock["addons"] },
  { engineRoot }: BuildContext,
): Promise<Lock> {
  const locked = policies.map(({ manifest, source, hash }) => [
    `${manifest.name}@${manifest.version}`,
    { source, hash, schema: canonicalHash(manifest.parameters) },
  ]);
  return {
    lockVersion: 1,
    distribution: { name, version },
    engine,
    tools: await buildTools(engineRoot),
    sources,
    policies: Object.fromEntries(locked),
    ...others,
  };
}

function changed({ what, locked, found }: LockChange, where: Where): Problem {
  return problem("lock-changed", { ...where, path: what }, { what, locked, found });
}
