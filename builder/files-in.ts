import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";

/**
 * The files below a folder, relative to it, with forward slashes, sorted. Without what was installed into it, or lies there as if it had been: in place of the
 * package that was locked, it would be imported. Links are no files.
 */
export async function filesIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(path.length + 1)
        .replaceAll(sep, "/"),
    )
    .filter((file) => !/(?:^|\/)node_modules\//.test(file))
    .sort();
}
