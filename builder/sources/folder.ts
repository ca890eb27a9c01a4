import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Report } from "../../src/config/read.ts";
import { parseVersion } from "../../src/config/semver.ts";
import { problem, type Where } from "../../src/errors.ts";
import { openPolicyFolder } from "../discover.ts";
import type { FoundPolicy } from "./found-policy.ts";

export interface FolderSource {
  /** Where it is on this machine. */
  readonly path: string;
  /** What it is called in messages. */
  readonly shown: string;
  /** What it is called in the lock and in `list`. */
  readonly source: string;
  readonly where: Where;
}

/**
 * The policies of a folder: itself, when it has a `policy.yaml`, else every `vVERSION` and `NAME/vVERSION` below it that has one. Nothing is
 * imported.
 */
export async function findInFolder({ path, shown, source, where }: FolderSource, report: Report): Promise<readonly FoundPolicy[]> {
  const entries = await readdir(path).catch((error: NodeJS.ErrnoException) => error);
  if (entries instanceof Error) {
    const detail = entries.code === "ENOENT" ? "there is no such folder" : entries.code === "ENOTDIR" ? "it is no folder" : entries.message;
    const remedy = "correct the path, which starts at the folder of the distribution's manifest";
    report(problem("source-unavailable", where, { source: shown, detail, remedy }));
    return [];
  }
  const folders = entries.includes("policy.yaml") ? [""] : await versionFolders(path, entries.sort());
  if (folders.length === 0) report(problem("source-without-policy", where, { source: shown }));
  return Promise.all(
    folders.map(async (folder) => ({
      folder: await openPolicyFolder(join(path, folder), joined(shown, folder)),
      source: joined(source, folder),
      where,
    })),
  );
}

/** `vVERSION` in the folder of one policy, `NAME/vVERSION` in one of several. */
async function versionFolders(path: string, names: readonly string[]): Promise<readonly string[]> {
  const nested = names.map(async (name) => (await readdir(join(path, name)).catch(() => [])).map((version) => `${name}/${version}`));
  const candidates = [...names, ...(await Promise.all(nested)).flat()].filter(isVersionFolder);
  const holding = candidates.map(async (folder) => {
    const files = await readdir(join(path, folder)).catch((): readonly string[] => []);
    return files.includes("policy.yaml") ? [folder] : [];
  });
  return (await Promise.all(holding)).flat().sort();
}

function isVersionFolder(path: string): boolean {
  const name = basename(path);
  return name.startsWith("v") && parseVersion(name.slice(1)) !== undefined;
}

function joined(start: string, folder: string): string {
  if (folder === "") return start;
  return start === "." ? folder : `${start}/${folder}`;
}
