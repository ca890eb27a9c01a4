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

/** Reads a settings file. Undefined when something is wrong with it, which has then been printed. */
export async function readSettings(path: string): Promise<Settings | undefined> {
  const [document] = await readDocuments([path]);
  if (document === undefined) return undefined;
  const parsed = parseSettings(document, dirname(resolve(path)));
  if ("problems" in parsed) {
    process.stderr.write(`${formatProblems(parsed.problems)}\n`);
    return undefined;
  }
  if (parsed.warnings.length > 0) process.stderr.write(`${formatProblems(parsed.warnings)}\n`);
  return parsed.settings;
}
