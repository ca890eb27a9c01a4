/**
 * A file that is there as a whole or not at all, and that says when it is not what was written.
 */
import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export type CheckedText =
  | { readonly kind: "read"; readonly text: string }
  | { readonly kind: "missing" }
  /** Not what was written, or not to be trusted; `reason` is for people and holds nothing of the content. */
  | { readonly kind: "broken"; readonly reason: string };

/** The largest file that is read, bytes. */
const fileBytesMax = 256 * 1024 * 1024;
const format = "policy-engine/1";

/**
 * Replaces the file, and its folder if there is none: for its owner only. Whenever the process ends on the way, the old file or the new one
 * is there, whole. Rejects with the system's error; the old file is then still there.
 */
export async function writeChecked(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Its own name: two writers then replace each other's file, and never write into one.
  const temporary = `${path}.${randomUUID()}${temporaryEnd}`;
  try {
    await writeSynced(temporary, `${headOf(text)}\n${text}`);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Reads it and proves that it is what was written. What other users of the machine may write to is not trusted. Never rejects. */
export async function readChecked(path: string): Promise<CheckedText> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return await readProven(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return code === "ENOENT" ? { kind: "missing" } : { kind: "broken", reason: `it cannot be read: ${code}` };
  }
}

/** Removes what writes that were cut short have left beside the file. Never rejects: it is only tidying. */
export async function removeLeftovers(path: string): Promise<void> {
  const isLeftover = (name: string): boolean => name.startsWith(`${basename(path)}.`) && name.endsWith(temporaryEnd);
  const names = await readdir(dirname(path)).catch(() => []);
  await Promise.all(names.filter(isLeftover).map((name) => rm(join(dirname(path), name), { force: true }).catch(() => {})));
}

const temporaryEnd = ".new";

async function writeSynced(path: string, content: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    // Before it gets its name: a machine that loses power must not find the name with nothing behind it.
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readProven(file: FileHandle): Promise<CheckedText> {
  const stats = await file.stat();
  if (!stats.isFile()) return { kind: "broken", reason: "it is no regular file" };
  if ((stats.mode & 0o002) !== 0) return { kind: "broken", reason: "every user of this machine may write to it" };
  if (stats.size > fileBytesMax) return { kind: "broken", reason: `it is larger than ${fileBytesMax} bytes` };
  const content = await file.readFile("utf8");
  const end = content.indexOf("\n");
  const text = content.slice(end + 1);
  const isWhole = end > 0 && content.slice(0, end) === headOf(text);
  return isWhole ? { kind: "read", text } : { kind: "broken", reason: "its checksum does not fit: it is cut short or was changed" };
}

function headOf(text: string): string {
  return `${format} sha256:${createHash("sha256").update(text).digest("hex")}`;
}
