import { dirname, resolve } from "node:path";
import { formatProblems } from "../config/problems.ts";
import { parseSettings, type Settings } from "../config/settings.ts";
import type { SourceDocument } from "../config/types.ts";
import { readFiles } from "../files/read-files.ts";

/** Reads files and folders as documents, named as they were given. Throws a `FilesError` that says which one and why. */
export async function readDocuments(paths: readonly string[]): Promise<readonly SourceDocument[]> {
  const state = await readFiles(paths);
  if (state.kind === "failed") throw state.error;
  return state.files.map(({ path, bytes }) => ({ uri: path, text: Buffer.from(bytes).toString("utf8") }));
}

export interface SettingsFile {
  readonly settings: Settings;
  readonly document: SourceDocument;
}

/** Reads a settings file. Undefined when something is wrong with it, which has then been printed. */
export async function readSettings(path: string): Promise<Settings | undefined> {
  return (await readSettingsFile(path))?.settings;
}

/** The same, with its text. */
export async function readSettingsFile(path: string): Promise<SettingsFile | undefined> {
  const [document] = await readDocuments([path]);
  if (document === undefined) return undefined;
  const parsed = parseSettings(document, dirname(resolve(path)));
  if ("problems" in parsed) {
    process.stderr.write(`${formatProblems(parsed.problems)}\n`);
    return undefined;
  }
  if (parsed.warnings.length > 0) process.stderr.write(`${formatProblems(parsed.warnings)}\n`);
  return { settings: parsed.settings, document };
}
