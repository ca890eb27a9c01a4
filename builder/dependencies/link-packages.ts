import { mkdir, readdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { NpmPackages } from "../distribution/lock.ts";
import type { Workspace } from "./npm-project.ts";

/** Makes what is installed in `tree`, and what policies share, visible in the build's folder, by links. Policies do not see each other. */
export async function linkPackages(
  build: string,
  tree: string | undefined,
  workspaces: readonly Workspace[],
  packages: NpmPackages,
): Promise<void> {
  for (const { path, manifest } of workspaces) {
    if (!path.startsWith("policies/")) await link(join(build, path), join(build, "node_modules", manifest.name));
    const own = tree && join(tree, path, "node_modules");
    if (own !== undefined && (await readdir(own).catch(() => undefined)) !== undefined) await link(own, join(build, path, "node_modules"));
  }
  if (tree === undefined) return;
  for (const [path, { link: isWorkspace }] of Object.entries(packages)) {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
    // Of an optional package, only the one for this platform is there.
    const installed = join(tree, path);
    if (name === undefined || isWorkspace === true || (await readdir(installed).catch(() => undefined)) === undefined) continue;
    await link(installed, join(build, "node_modules", name));
  }
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path, "dir");
}
