import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sdkGeneration } from "../src/config/manifest.ts";
import type { EngineFacts } from "./distribution/lock.ts";
import { filesIn } from "./files-in.ts";
import { type LockFile, productionPackages } from "./production-packages.ts";

/**
 * What the engine of a checkout is: its version, and a hash over everything of it that goes into a distribution or makes one. Its tests and
 * its own registry of policies do not.
 */
export async function engineFacts(root: string): Promise<EngineFacts> {
  const manifest: { readonly version: string } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const lock: LockFile = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  const hash = createHash("sha256");
  const folders = ["builder", "src"] as const;
  const files = (
    await Promise.all(folders.map(async (folder) => (await filesIn(join(root, folder))).map((file) => `${folder}/${file}`)))
  ).flat();
  const sources = files.filter((file) => !/\.test\.ts$|^src\/generated\/(?:registry\.ts$|manifests\/)/.test(file));
  const contents = await Promise.all(sources.map((file) => readFile(join(root, file))));
  for (const [index, content] of contents.entries()) hash.update(`${sources[index]}\0${content.length}\0`).update(content);
  for (const path of productionPackages(lock)) {
    const { version = "", integrity = "" } = lock.packages[path] ?? {};
    hash.update(`${path}\0${version}\0${integrity}\0`);
  }
  return { version: manifest.version, sdk: sdkGeneration, hash: hash.digest("hex") };
}
