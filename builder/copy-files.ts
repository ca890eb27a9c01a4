import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Copies files from one folder to another. @param files relative to both, with forward slashes */
export async function copyFiles(from: string, files: readonly string[], to: string): Promise<void> {
  for (const file of files) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await copyFile(join(from, file), join(to, file));
  }
}
