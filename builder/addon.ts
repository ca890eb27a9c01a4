import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type LockedAddon, sha256 } from "./distribution/lock.ts";

/** RE2 as compiled code, the one part of a distribution that is not the same everywhere. */
export interface Addon extends LockedAddon {
  /** Platform, processor and ABI of the Node that builds: `linux-x64-137`. */
  readonly platform: string;
  readonly path: string;
}

/** Undefined where it could not be compiled: the distribution then falls back to JavaScript, and says so when it starts. */
export async function findAddon(engineRoot: string): Promise<Addon | undefined> {
  const path = join(engineRoot, "node_modules/re2/build/Release/re2.node");
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const origin = await readFile(`${path}.origin`, "utf8").catch(() => "");
  return {
    platform: `${process.platform}-${process.arch}-${process.versions.modules}`,
    path,
    hash: sha256(bytes),
    origin: origin.trim() === "prebuilt" ? "prebuilt" : "compiled",
  };
}
