import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { version as esbuild } from "esbuild";
import type { Lock } from "./distribution/lock.ts";

/** What bundles are made for: the oldest Node that the engine runs on. */
export const target = "node22.22";

/** What a distribution is made with. */
export async function buildTools(engineRoot: string): Promise<Lock["tools"]> {
  const { version }: { readonly version: string } = JSON.parse(
    await readFile(join(engineRoot, "node_modules/typescript/package.json"), "utf8"),
  );
  return { esbuild, typescript: version, target };
}
