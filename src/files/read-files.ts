/**
 * Reads files and folders as one consistent state.
 *
 * A leaf: it imports nothing of ours. The configuration, secrets and the files of policies all come through here.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";

export interface ReadFile {
  /** The path as configured; for a file found in a folder, the configured folder and the file's name. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface FilesRead {
  readonly kind: "read";
  /** In the order of the configured paths; those of a folder sorted by name. Never empty, each file once. */
  readonly files: readonly ReadFile[];
  /** SHA-256 over the paths and contents, hex. */
  readonly hash: string;
}

export interface FilesFailed {
  readonly kind: "failed";
  readonly error: FilesError;
}

export type FilesState = FilesRead | FilesFailed;

export interface FilesLimits {
  /** How many files all paths may come to. Default 1000. */
  readonly filesMax: number;
  /** The largest file, bytes. Default 4 MiB. */
  readonly fileBytesMax: number;
}

export const filesLimits: FilesLimits = { filesMax: 1000, fileBytesMax: 4 * 1024 * 1024 };

export type FilesErrorCode = "missing" | "unreadable" | "not-a-file" | "empty-folder" | "too-large" | "too-many" | "changing";

/** Why there is no state: the message names the path and how to mend it, never any content. */
export class FilesError extends Error {
  override readonly name = "FilesError";
  readonly code: FilesErrorCode;
  readonly path: string;

  constructor(code: FilesErrorCode, path: string, message: string) {
    super(message);
    this.code = code;
    this.path = path;
  }
}

/**
 * Reads every path: a file, or a folder, which stands for its `*.yaml` and `*.yml` files directly inside, without dot-files (so that
 * `..data` and its siblings in a Kubernetes volume are not read twice).
 *
 * All files are of one moment: when one is replaced while others are read, everything is read again, a few times. A path that is missing
 * and a folder without files are failures, never an empty state: a file that is away for the length of a rename must not look like
 * "nothing is configured". Never rejects.
 */
export async function readFiles(paths: readonly string[], limits: FilesLimits = filesLimits): Promise<FilesState> {
  try {
    for (let attempt = 0; attempt < stableReadAttemptsMax; attempt++) {
      const before = await listFiles(paths, limits);
      const files: ReadFile[] = [];
      for (const { path } of before) files.push({ path, bytes: await readBounded(path, limits.fileBytesMax) });
      if (sameFiles(before, await listFiles(paths, limits))) return { kind: "read", files, hash: hashOf(files) };
    }
    const path = paths[0] ?? "";
    throw new FilesError("changing", path, `cannot read \`${path}\`: it is replaced faster than it can be read; write it less often`);
  } catch (error) {
    if (error instanceof FilesError) return { kind: "failed", error };
    throw error;
  }
}

/** Whether a name inside a configured folder is one of its files. */
export function belongsToFolder(name: string): boolean {
  return /^[^.].*\.ya?ml$/.test(name);
}

const stableReadAttemptsMax = 5;

interface ListedFile {
  readonly path: string;
  /** Changes whenever the file behind the path is another one or was written to. */
  readonly identity: string;
}

async function listFiles(paths: readonly string[], limits: FilesLimits): Promise<readonly ListedFile[]> {
  const listed = new Map<string, ListedFile>();
  for (const path of paths) {
    const stats = await attempt(path, () => stat(path, { bigint: true }));
    const found = stats.isDirectory() ? await filesOfFolder(path) : [path];
    for (const file of found) {
      if (listed.has(resolve(file))) continue;
      if (listed.size === limits.filesMax) {
        throw new FilesError(
          "too-many",
          path,
          `cannot read \`${path}\`: more than ${limits.filesMax} files; name fewer files or merge some`,
        );
      }
      listed.set(resolve(file), { path: file, identity: await identityOf(file) });
    }
  }
  return [...listed.values()];
}

async function filesOfFolder(folder: string): Promise<readonly string[]> {
  const names = (await attempt(folder, () => readdir(folder))).filter(belongsToFolder).sort();
  if (names.length === 0) {
    throw new FilesError(
      "empty-folder",
      folder,
      `cannot read \`${folder}\`: the folder has no *.yaml or *.yml file; put one there or name another path`,
    );
  }
  return names.map((name) => join(folder, name));
}

async function identityOf(path: string): Promise<string> {
  const stats = await attempt(path, () => stat(path, { bigint: true }));
  if (!stats.isFile()) {
    throw new FilesError("not-a-file", path, `cannot read \`${path}\`: neither a regular file nor a folder; name one of these`);
  }
  // The real path too: a file may get the number of one just deleted, within one tick of the file system's clock.
  const real = await attempt(path, () => realpath(path));
  return `${real}:${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

async function readBounded(path: string, fileBytesMax: number): Promise<Uint8Array> {
  // Without O_NONBLOCK, opening a named pipe that took the file's place would wait for its writer for ever.
  const file = await attempt(path, () => open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    return await attempt(path, () => readAll(file, path, fileBytesMax));
  } finally {
    await attempt(path, () => file.close());
  }
}

async function readAll(file: FileHandle, path: string, fileBytesMax: number): Promise<Uint8Array> {
  // The size is only a hint: the file may grow meanwhile, and some file systems call everything empty.
  let bytes = new Uint8Array(Math.min((await file.stat()).size, fileBytesMax) + 1);
  let length = 0;
  while (length <= fileBytesMax) {
    if (length === bytes.length) bytes = enlarged(bytes, fileBytesMax + 1);
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) return bytes.slice(0, length);
    length += bytesRead;
  }
  throw new FilesError("too-large", path, `cannot read \`${path}\`: larger than ${fileBytesMax} bytes; split it into several files`);
}

function enlarged(bytes: Uint8Array<ArrayBuffer>, lengthMax: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(Math.max(2 * bytes.length, 4096), lengthMax));
  larger.set(bytes);
  return larger;
}

async function attempt<Value>(path: string, action: () => Promise<Value>): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof FilesError) throw error;
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new FilesError("missing", path, `cannot read \`${path}\`: it does not exist; create it or name another path`);
    }
    const mend =
      code === "EACCES" || code === "EPERM" ? "give the engine's user the right to read it" : "see the system's documentation of this code";
    throw new FilesError("unreadable", path, `cannot read \`${path}\`: ${code}; ${mend}`);
  }
}

function systemCodeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";
}

function sameFiles(before: readonly ListedFile[], after: readonly ListedFile[]): boolean {
  return (
    before.length === after.length && before.every((file, at) => file.path === after[at]?.path && file.identity === after[at].identity)
  );
}

function hashOf(files: readonly ReadFile[]): string {
  const hash = createHash("sha256");
  // Lengths first: without them a byte could move from one file to the next and leave the hash as it was.
  for (const { path, bytes } of files) hash.update(`${Buffer.byteLength(path)}:${path}${bytes.length}:`).update(bytes);
  return hash.digest("hex");
}
