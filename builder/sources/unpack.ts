import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { extract } from "tar";

/** Of one tarball, unpacked. A policy is text; what is larger is something else. */
export const unpackedBytesMax = 64 * 1024 * 1024;
export const unpackedFilesMax = 10_000;

/** npm's way to write a hash: `sha512-` and base64. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
}

/**
 * Unpacks the bytes of a tarball as `npm pack` makes it, without its top folder, into a new folder. Only files and folders: links, and
 * paths that lead out, are left out.
 *
 * @throws when it is no gzipped tar, or larger than the bounds
 */
export async function unpack(tarball: Uint8Array, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  let bytes = 0;
  let files = 0;
  const unpacking = extract({
    cwd: folder,
    strip: 1,
    strict: true,
    preservePaths: false,
    noMtime: true,
    filter: (_path, entry) => {
      bytes += entry.size;
      files += 1;
      const small = bytes <= unpackedBytesMax && files <= unpackedFilesMax;
      return small && "type" in entry && ["File", "OldFile", "ContiguousFile", "Directory"].includes(entry.type);
    },
  });
  await new Promise<void>((resolve, reject) => {
    unpacking.on("error", reject);
    // Everything is written.
    unpacking.on("close", resolve);
    unpacking.end(Buffer.from(tarball));
  });
  if (bytes > unpackedBytesMax) throw new Error(`it unpacks to more than ${unpackedBytesMax / 1024 / 1024} MiB`);
  if (files > unpackedFilesMax) throw new Error(`it has more than ${unpackedFilesMax} files`);
  if (files === 0) throw new Error("it is no gzipped tar");
}
