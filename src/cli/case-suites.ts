import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { SchemaEngine } from "../config/schema-engine.ts";
import type { PolicyRegistry, SourceDocument } from "../config/types.ts";
import { type Problem, problem } from "../errors.ts";
import { FilesError } from "../files/read-files.ts";
import { type CaseFile, parseCases } from "../testing/case-format.ts";
import type { CaseSubject } from "../testing/cases.ts";
import { readDocuments } from "./documents.ts";
import { isFolder } from "./is-folder.ts";
import { loadPolicy } from "./load-policy.ts";

/** A case file that has been read, and what it is about. */
export interface CaseSuite {
  readonly document: SourceDocument;
  readonly file: CaseFile;
  readonly subject: CaseSubject;
}

/**
 * Case files: a path is one, or a folder, which stands for every `cases.yaml` and `*.cases.yaml` below it.
 *
 * @throws when a path does not exist, and when a folder has none
 */
export async function findCaseFiles(paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const files = (await isFolder(path)) ? await caseFilesBelow(path) : [path];
    if (files.length === 0) throw new Error(`${path}: there is no cases.yaml and no *.cases.yaml below this folder`);
    found.push(...files);
  }
  return [...new Map(found.map((file) => [resolve(file), file])).values()];
}

/** Reads a case file and what it is about. What cannot be read is a problem; a file that is not there was not found before. */
export async function openSuite(
  path: string,
  policies: PolicyRegistry,
  schemas: SchemaEngine,
): Promise<{ readonly suite: CaseSuite } | { readonly problems: readonly Problem[] }> {
  const [document] = await readDocuments([path]);
  if (document === undefined) throw new Error(`${path}: no such file`);
  const parsed = parseCases(document, schemas);
  if ("problems" in parsed) return parsed;
  const { file } = parsed;
  const subject = file.config === undefined ? await policyBeside(file, policies, schemas) : await configOf(file, file.config);
  return "problems" in subject ? subject : { suite: { document, file, subject } };
}

type Opened = CaseSubject | { readonly problems: readonly Problem[] };

async function policyBeside({ uri }: CaseFile, policies: PolicyRegistry, schemas: SchemaEngine): Promise<Opened> {
  const folder = dirname(uri);
  if (!(await exists(join(folder, "policy.yaml")))) {
    const meaning = "the configuration files that these cases are about; cases of a policy stand beside its policy.yaml";
    return { problems: [problem("missing-key", startOf(uri), { key: "config", meaning })] };
  }
  const loaded = await loadPolicy(folder, policies, schemas);
  return "problems" in loaded ? loaded : { kind: "policy", release: loaded.release };
}

async function configOf({ uri }: CaseFile, paths: readonly string[]): Promise<Opened> {
  try {
    return { kind: "config", documents: await readDocuments(paths.map((path) => join(dirname(uri), path))) };
  } catch (error) {
    if (error instanceof FilesError) return { problems: [problem("case-config", startOf(uri), { detail: error.message })] };
    throw error;
  }
}

const startOf = (uri: string): Pick<Problem, "position" | "path"> => ({ position: { uri, line: 1, column: 1 }, path: "" });

/** The folders on which a case file's outcome depends: its own, and those of the configuration that it names. */
export async function foldersBehind(path: string, schemas: SchemaEngine): Promise<readonly string[]> {
  const [document] = await readDocuments([path]);
  const parsed = document && parseCases(document, schemas);
  const config = parsed !== undefined && "file" in parsed ? (parsed.file.config ?? []) : [];
  return [dirname(path), ...config.map((each) => dirname(join(dirname(path), each)))];
}

async function caseFilesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries
    .filter(({ name }) => name !== "node_modules" && !name.startsWith("."))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return caseFilesBelow(path);
      return /^(.+\.)?cases\.yaml$/.test(entry.name) ? [path] : [];
    });
  return (await Promise.all(nested)).flat();
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
