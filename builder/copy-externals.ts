import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Addon } from "./addon.ts";

/** What of each package is needed at run time, besides its package.json and its licence. */
const contents = {
  re2: ["re2.js"],
  re2js: ["build/index.cjs"],
} as const;

/** Not in the bundle, but beside it. */
export const externalPackages: readonly string[] = Object.keys(contents);

/**
 * Copies RE2 and what stands in for it beside the bundle, which loads them when it starts: compiled code does not go into a bundle.
 *
 * An addon that was compiled here is copied without its symbols, nine tenths of it, where there is a `strip`; a prebuilt one as it is.
 */
export async function copyExternals(engineRoot: string, target: string, addon: Addon | undefined, cache: string): Promise<void> {
  for (const [name, files] of Object.entries(contents)) {
    const from = join(engineRoot, "node_modules", name);
    const to = join(target, "node_modules", name);
    for (const file of ["package.json", "LICENSE", ...files]) {
      await mkdir(dirname(join(to, file)), { recursive: true });
      await copyFile(join(from, file), join(to, file));
    }
  }
  if (addon === undefined) return;
  const path = join(target, "node_modules/re2/build/Release/re2.node");
  await mkdir(dirname(path), { recursive: true });
  await copyFile(addon.origin === "prebuilt" ? addon.path : await stripped(addon, cache), path);
}

async function stripped({ path, hash }: Addon, cache: string): Promise<string> {
  const kept = join(cache, "addons", `${hash}.node`);
  if ((await readFile(kept).catch(() => undefined)) !== undefined) return kept;
  await mkdir(dirname(kept), { recursive: true });
  const unfinished = `${kept}.${randomUUID()}`;
  await copyFile(path, unfinished);
  await chmod(unfinished, 0o755);
  if (spawnSync("strip", ["-s", unfinished], { stdio: "ignore" }).status !== 0) return path;
  await rename(unfinished, kept);
  return kept;
}
