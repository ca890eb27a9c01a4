import { stat } from "node:fs/promises";

/**
 * Whether a path that somebody gave is a folder.
 *
 * @throws when nothing is there, in words for the one who gave it
 */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))) throw error;
    throw new Error(`\`${path}\` does not exist; name another path`, { cause: error });
  }
}
