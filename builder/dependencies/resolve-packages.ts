import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalHash } from "../../src/config/canonical.ts";
import { problem, type Where } from "../../src/errors.ts";
import type { BuildContext } from "../build-context.ts";
import { type NpmPackages, packageFault } from "../distribution/lock.ts";
import { BuildFailure } from "../events.ts";
import { npmComplaint } from "../npm.ts";
import { fits, needsPackages, projectManifest, type Workspace } from "./npm-project.ts";

/** On whose behalf npm runs. */
export interface Asker {
  /** The folder whose `.npmrc` counts. */
  readonly home: string;
  /** Where to say that something is wrong. */
  readonly where: Where;
}

/**
 * The packages that the workspaces depend on, as npm resolves them: what is locked stays, unless a workspace asks for something else.
 *
 * @throws a `BuildFailure` when npm cannot, or when one does not come from a registry: a folder, a repository, an address
 */
export async function resolvePackages(
  workspaces: readonly Workspace[],
  locked: NpmPackages | undefined,
  { home, where }: Asker,
  { scratch, npm }: BuildContext,
): Promise<NpmPackages> {
  if (!needsPackages(workspaces)) return {};
  if (locked !== undefined && fits(workspaces, locked)) return locked;
  const project = await mkdtemp(join(scratch, "resolve-"));
  await writeProject(project, workspaces, locked, home);
  const resolved = await npm(["install", "--package-lock-only", "--omit=dev", "--omit-lockfile-registry-resolved"], project);
  if (resolved.code !== 0) throw unresolved(npmComplaint(resolved), where);
  const lock: { readonly packages: NpmPackages } = JSON.parse(await readFile(join(project, "package-lock.json"), "utf8"));
  const fault = packageFault(lock.packages);
  if (fault !== undefined) throw unresolved(`${fault}: it could not be held to a lock`, where);
  return lock.packages;
}

/**
 * A folder with these packages installed, as npm lays them out. It is kept: what is locked is installed once on a machine. npm holds each
 * package to its integrity hash.
 *
 * @returns undefined where there are none
 * @throws a `BuildFailure` when npm cannot, or when a package is not what was locked
 */
export async function installPackages(
  workspaces: readonly Workspace[],
  packages: NpmPackages,
  { home, where }: Asker,
  { cache, npm }: BuildContext,
): Promise<string | undefined> {
  if (Object.keys(packages).length === 0) return undefined;
  const trees = join(cache, "trees");
  const tree = join(trees, canonicalHash({ workspaces, packages }));
  if (await isThere(tree)) return tree;
  await mkdir(trees, { recursive: true });
  const unfinished = await mkdtemp(join(trees, "unfinished-"));
  try {
    await writeProject(unfinished, workspaces, packages, home);
    const installed = await npm(["ci", "--omit=dev", "--prefer-offline"], unfinished);
    if (installed.code !== 0) throw integrityFailure(installed.stderr, where) ?? unresolved(npmComplaint(installed), where);
    await rm(join(unfinished, ".npmrc"), { force: true });
    // Another build may have been quicker; both trees are the same.
    await rename(unfinished, tree).catch(async (error: unknown) => {
      if (!(await isThere(tree))) throw error;
    });
    return tree;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function writeProject(
  folder: string,
  workspaces: readonly Workspace[],
  packages: NpmPackages | undefined,
  home: string,
): Promise<void> {
  await writeFile(join(folder, "package.json"), JSON.stringify(projectManifest(workspaces)));
  for (const { path, manifest } of workspaces) {
    await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, path, "package.json"), JSON.stringify(manifest));
  }
  if (packages !== undefined && Object.keys(packages).length > 0) {
    const lock = { name: "distribution", version: "0.0.0", lockfileVersion: 3, requires: true, packages };
    await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
  }
  // Which registry, and who asks.
  await copyFile(join(home, ".npmrc"), join(folder, ".npmrc")).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** `sha512-AAA integrity checksum failed when using sha512: wanted sha512-AAA but got sha512-BBB.` */
function integrityFailure(complaint: string, where: Where): BuildFailure | undefined {
  const [, locked, found] = /wanted (sha\d+-\S+) but got (sha\d+-\S+?)\.?(?:\s|$)/.exec(complaint) ?? [];
  if (locked === undefined || found === undefined) return undefined;
  return new BuildFailure([problem("lock-integrity", where, { what: "a package that a policy depends on", locked, found })]);
}

function unresolved(detail: string, where: Where): BuildFailure {
  return new BuildFailure([problem("dependencies-unresolved", where, { detail })]);
}

async function isThere(tree: string): Promise<boolean> {
  return (await readFile(join(tree, "package.json")).catch(() => undefined)) !== undefined;
}
