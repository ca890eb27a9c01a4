/**
 * What need not be found out again, because it follows from content that has not changed. Kept in a folder under the hash of that content;
 * nothing breaks when it is removed.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalHash } from "../src/config/canonical.ts";

/** Something that was found to be so. */
export interface Proof {
  readonly isThere: boolean;
  keep(): Promise<void>;
}

/** @param content all that the result follows from; must be JSON */
export function proofOf(cache: string, kind: string, content: unknown): Proof {
  const path = join(cache, kind, canonicalHash(content));
  return { isThere: existsSync(path), keep: () => put(join(cache, kind), path, "") };
}

/**
 * A value that was made before from the same content, or is made now. Undefined is not kept.
 *
 * @param content all that the value follows from; it and the value must be JSON
 */
export async function recall<Value>(
  cache: string,
  kind: string,
  content: unknown,
  make: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  const path = join(cache, kind, canonicalHash(content));
  const kept = await readFile(path, "utf8").catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept);
  const value = await make();
  if (value !== undefined) await put(join(cache, kind), path, JSON.stringify(value));
  return value;
}

/** Whole or not at all, whoever else builds. */
async function put(folder: string, path: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const unfinished = `${path}.${randomUUID()}`;
  await writeFile(unfinished, text);
  await rename(unfinished, path);
}
