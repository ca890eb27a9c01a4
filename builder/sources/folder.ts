import { readdir } from "node:fs/promises";
import { join } from "node:path";
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
 * The policies of a folder: itself, when it has a `policy.yaml`, else every `NAME/vVERSION` below it that has one. Nothing is imported.
 *
 * Links are followed when they lead to a folder that is named, and not inside of a policy.
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

async function versionFolders(path: string, names: readonly string[]): Promise<readonly string[]> {
  const found = names.map(async (name) => {
    const versions = (await readdir(join(path, name)).catch(() => [])).filter((version) => parseVersion(version.slice(1)) !== undefined);
    const whole = versions.map(async (version) => {
      const files = await readdir(join(path, name, version)).catch((): readonly string[] => []);
      return version.startsWith("v") && files.includes("policy.yaml") ? [`${name}/${version}`] : [];
    });
    return (await Promise.all(whole)).flat();
  });
  return (await Promise.all(found)).flat().sort();
}

function joined(start: string, folder: string): string {
  if (folder === "") return start;
  return start === "." ? folder : `${start}/${folder}`;
}
