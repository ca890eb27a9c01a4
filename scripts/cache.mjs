import { mkdirSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * The folder that keeps what is slow to make or to fetch (the RE2 addon, Envoy) for every checkout of this user:
 * `$POLICY_ENGINE_CACHE`, else `envoy-policy-engine` in `$XDG_CACHE_HOME` or `~/.cache`, else, where that cannot be written, a folder of
 * this checkout. Made when it is not there.
 *
 * @returns {string}
 */
export function cacheFolder() {
  const wanted = process.env.POLICY_ENGINE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "envoy-policy-engine");
  try {
    mkdirSync(wanted, { recursive: true });
    return wanted;
  } catch {
    const own = join(root, "node_modules/.cache/envoy-policy-engine");
    mkdirSync(own, { recursive: true });
    return own;
  }
}

/**
 * Puts a finished file in its place in one step: whoever looks sees the old file, none, or the whole new one.
 *
 * @param {string} path
 * @param {(unfinished: string) => void} write - writes the whole file at the path that it is given, in the same folder
 */
export function putInPlace(path, write) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  write(unfinished);
  renameSync(unfinished, path);
}
