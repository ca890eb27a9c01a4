import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join, posix, resolve } from "node:path";
import { catalogue, type PolicyCatalogue, resolvePolicy } from "../../src/config/policy-reference.ts";
import type { Report } from "../../src/config/read.ts";
import { type Problem, problem, type Where } from "../../src/errors.ts";
import type { BuildContext, LockMode } from "../build-context.ts";
import { copyFiles } from "../copy-files.ts";
import { discoverPolicies, type PolicyFolder } from "../discover.ts";
import { type EngineFacts, type Lock, type LockedSource, readLock } from "../distribution/lock.ts";
import {
  type Distribution,
  type PolicyRequest,
  type PolicySource,
  readDistribution,
  sourceText,
} from "../distribution/read-distribution.ts";
import { engineFacts } from "../engine-facts.ts";
import { BuildFailure } from "../events.ts";
import type { FetchedSource, SourceContext } from "../sources/fetched-source.ts";
import { findInFolder } from "../sources/folder.ts";
import type { FoundPolicy } from "../sources/found-policy.ts";
import { fetchNpmPackage } from "../sources/npm-package.ts";
import { fetchTarball } from "../sources/tarball.ts";

export interface Discovered {
  readonly distribution: Distribution;
  /** What the policies are to run on. */
  readonly engine: EngineFacts;
  /** The folder of the manifest. */
  readonly home: string;
  readonly policies: readonly FoundPolicy[];
  /** What was fetched, by how the manifest asks for it. */
  readonly sources: Readonly<Record<string, LockedSource>>;
  /** As it is on disk; undefined when there is none yet. */
  readonly lock: Lock | undefined;
}

/**
 * Reads the manifest and its lock, fetches what is not here, and finds the policies by their `policy.yaml`. No policy is imported.
 *
 * @param manifestPath as the user wrote it
 * @throws a `BuildFailure` with every problem found
 */
export async function discover(manifestPath: string, mode: LockMode, context: BuildContext): Promise<Discovered> {
  const distribution = await readManifestFile(manifestPath);
  const lock = await readLockFile(manifestPath, mode, context);
  const problems: Problem[] = [];
  const search: Search = {
    lock: mode === "renew" ? undefined : lock,
    shipped: catalogue((await discoverPolicies(context.engineRoot)).map((folder) => ({ manifest: folder, folder }))),
    context: await sourceContext(manifestPath, context),
    fetched: new Map(),
    report: (next) => problems.push(next),
  };
  const policies = (await Promise.all(distribution.policies.map((request) => find(request, search)))).flat();
  if (problems.length > 0) throw new BuildFailure(problems);
  return {
    distribution,
    engine: await engineFacts(context.engineRoot),
    home: dirname(resolve(manifestPath)),
    policies,
    sources: Object.fromEntries(search.fetched),
    lock,
  };
}

/** `distribution.yaml` -> `distribution.lock`, beside it. */
export function lockPath(manifestPath: string): string {
  return `${manifestPath.replace(/\.ya?ml$/, "")}.lock`;
}

async function readManifestFile(path: string): Promise<Distribution> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const detail = error.code === "ENOENT" ? "there is no such file" : error.message;
    const facts = { source: path, detail, remedy: "name the distribution's manifest with `--manifest`" };
    throw new BuildFailure([problem("source-unavailable", startOf(path), facts)]);
  });
  const read = readDistribution({ uri: path, text });
  if ("problems" in read) throw new BuildFailure(read.problems);
  return read.distribution;
}

async function readLockFile(manifestPath: string, mode: LockMode, { schemas }: BuildContext): Promise<Lock | undefined> {
  const path = lockPath(manifestPath);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw new BuildFailure([problem("lock-unreadable", startOf(path), { detail: error.message })]);
  });
  if (text === undefined) {
    if (mode === "enforce") throw new BuildFailure([problem("lock-missing", startOf(path), {})]);
    return undefined;
  }
  try {
    return readLock(text, schemas);
  } catch (error) {
    // Written anew anyway.
    if (mode === "renew") return undefined;
    const detail = error instanceof Error ? error.message : String(error);
    throw new BuildFailure([problem("lock-unreadable", startOf(path), { detail })]);
  }
}

async function sourceContext(manifestPath: string, { scratch, cache, npm }: BuildContext): Promise<SourceContext> {
  const folder = join(scratch, "sources");
  await mkdir(folder, { recursive: true });
  return { home: dirname(resolve(manifestPath)), shownHome: dirname(manifestPath), scratch: folder, cache, npm };
}

interface Search {
  /** Undefined where versions are looked up anew. */
  readonly lock: Lock | undefined;
  readonly shipped: PolicyCatalogue<ShippedPolicy>;
  readonly context: SourceContext;
  /** Filled with what was fetched. */
  readonly fetched: Map<string, LockedSource>;
  readonly report: Report;
}

interface ShippedPolicy {
  readonly manifest: Pick<PolicyFolder, "name" | "version">;
  readonly folder: PolicyFolder;
}

async function find({ source, where }: PolicyRequest, search: Search): Promise<readonly FoundPolicy[]> {
  const { lock, context, report } = search;
  const locked = lock?.sources[sourceText(source)];
  switch (source.kind) {
    case "shipped": {
      const release = resolvePolicy(source.reference, where, search.shipped, report);
      return release === undefined ? [] : held([{ folder: release.folder, source: release.folder.source, where }], context);
    }
    case "folder": {
      const { home, shownHome } = context;
      const names = { shown: posix.join(shownHome, source.folder), source: posix.normalize(source.folder) };
      return held(await findInFolder({ path: join(home, source.folder), ...names, where }, report), context);
    }
    case "npm": {
      const fetched = await fetchNpmPackage(source, where, locked, context, report);
      return fetched === undefined ? [] : findInFetched(source, fetched, `npm:${source.package}@${fetched.locked.version}`, where, search);
    }
    case "tarball": {
      const fetched = await fetchTarball(source, where, locked, context, report);
      return fetched === undefined ? [] : findInFetched(source, fetched, sourceText(source), where, search);
    }
  }
}

/** Copies, so that what is looked at, what is hashed and what is bundled are the same, whoever edits the folders meanwhile. */
function held(policies: readonly FoundPolicy[], { scratch }: SourceContext): Promise<readonly FoundPolicy[]> {
  return Promise.all(
    policies.map(async (policy) => {
      const path = join(scratch, randomUUID());
      await copyFiles(policy.folder.path, policy.folder.files, path);
      return { ...policy, folder: { ...policy.folder, path } };
    }),
  );
}

function findInFetched(
  source: PolicySource,
  { folder, locked }: FetchedSource,
  name: string,
  where: Where,
  { fetched, report }: Search,
): Promise<readonly FoundPolicy[]> {
  fetched.set(sourceText(source), locked);
  return findInFolder({ path: folder, shown: name, source: name, where }, report);
}

function startOf(uri: string): Where {
  return { position: { uri, line: 1, column: 1 }, path: "" };
}
