import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { at } from "../config/read.ts";
import type { SchemaEngine } from "../config/schema-engine.ts";
import type { PolicyRegistry, SourceDocument } from "../config/types.ts";
import { type Problem, problem } from "../errors.ts";
import { type CaseFile, parseCases } from "../testing/case-format.ts";
import type { CaseSubject } from "../testing/cases.ts";
import { readDocuments } from "./documents.ts";
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
    const files = (await stat(path)).isDirectory() ? await caseFilesBelow(path) : [path];
    if (files.length === 0) throw new Error(`${path}: there is no cases.yaml and no *.cases.yaml below this folder`);
    found.push(...files);
  }
  return [...new Map(found.map((file) => [resolve(file), file])).values()];
}

/** Reads a case file and what it is about. */
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
  const folder = dirname(path);
  if (file.config !== undefined) {
    const documents = await readDocuments(file.config.map((each) => join(folder, each)));
    return { suite: { document, file, subject: { kind: "config", documents } } };
  }
  if (!(await exists(join(folder, "policy.yaml")))) return { problems: [withoutSubject(file)] };
  return { suite: { document, file, subject: { kind: "policy", release: await loadPolicy(folder, policies, schemas) } } };
}

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

function withoutSubject({ uri, cases }: CaseFile): Problem {
  const where = cases[0] === undefined ? { position: { uri, line: 1, column: 1 } } : at(cases[0].place);
  const meaning = "the configuration files that these cases are about; cases of a policy stand beside its policy.yaml";
  return problem("missing-key", { position: { ...where.position, line: 1, column: 1 }, path: "" }, { key: "config", meaning });
}
