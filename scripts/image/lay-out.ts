import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { builderPackages, type LockFile, productionPackages } from "../../builder/production-packages.ts";

/** What a folder is laid out for: an image that runs the engine, or one that builds distributions. */
export type Purpose = "engine" | "builder";

export interface Layout {
  readonly bytes: number;
  /** Whether the RE2 addon is among it. */
  readonly addon: boolean;
}

/**
 * Copies what the engine needs while it runs, or the builder, from a checkout that is set up into an empty folder, with the same paths: an
 * image that holds this folder needs no registry and no compiler. Sources stay TypeScript, which Node runs outside `node_modules`; packages of this project
 * therefore stay links to their folders.
 *
 * Everything is readable for everybody, whatever the umask was, because the image's user owns none of it.
 */
export async function layOut(root: string, target: string, purpose: Purpose): Promise<Layout> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const copy = (path: string): Promise<void> =>
    cp(join(root, path), join(target, path), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !isLeftOut(relative(root, source), purpose),
    });
  const lock: LockFile = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  // Of the builder's compiled parts only those for this platform are there.
  const packages = purpose === "engine" ? productionPackages(lock) : builderPackages(lock).filter((path) => existsSync(join(root, path)));
  for (const path of [...projectPaths[purpose], ...packages]) await copy(path);
  const addon = process.platform === "linux" && (await copyAddon(root, target));
  return { bytes: await openToEverybody(target), addon };
}

const engineFiles = ["LICENSE", "package.json", "bin", "builder", "src", "policies", "templates"] as const;

const projectPaths = {
  engine: engineFiles,
  builder: [...engineFiles, "Dockerfile.builder", "package-lock.json", "tsconfig.json"],
} as const satisfies Record<Purpose, readonly string[]>;

/** Tests, what the addon was built from, and, where nothing is built, what only compilers and debuggers read. */
function isLeftOut(path: string, purpose: Purpose): boolean {
  if (!path.startsWith("node_modules/")) return path.endsWith(".test.ts") || path.endsWith("/node_modules");
  if (purpose === "builder") return addonSources.test(path);
  return addonSources.test(path) || /\/(?:tests?|benchmarks)$|\.map$|\.d\.[cm]?ts$/.test(path);
}

const addonSources = /^node_modules\/re2\/(?:build|vendor|scripts|binding\.gyp|llms.*)$/;

const addonPath = "node_modules/re2/build/Release/re2.node";

/** Without its symbols, nine tenths of the file, where there is a `strip`. */
async function copyAddon(root: string, target: string): Promise<boolean> {
  const copied = join(target, addonPath);
  await mkdir(dirname(copied), { recursive: true });
  const there = await cp(join(root, addonPath), copied).then(
    () => true,
    () => false,
  );
  if (there) spawnSync("strip", ["-s", copied], { stdio: "ignore" });
  return there;
}

/** @returns the size of all files in bytes */
async function openToEverybody(folder: string): Promise<number> {
  let bytes = 0;
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      bytes += await openToEverybody(path);
    } else if (entry.isFile()) {
      const { mode, size } = await stat(path);
      await chmod(path, (mode & 0o111) === 0 ? 0o644 : 0o755);
      bytes += size;
    }
  }
  return bytes;
}
