import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Place, rootPlace } from "../../src/config/node.ts";
import { placeAt } from "../../src/config/parameter-problems.ts";
import { parseYaml } from "../../src/config/parse.ts";
import type { SourceDocument } from "../../src/config/types.ts";
import type { Problem } from "../../src/errors.ts";

/** A folder of code as it was read, so that everything that is said about it is said about one state. */
export interface Sources {
  /** For people: `policies/set-header/v1.0.0`. */
  readonly source: string;
  /** Relative, with forward slashes, sorted. */
  readonly files: readonly string[];
  /** Texts of code, YAML, Markdown and JSON by file. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Reads what is looked at in a folder. */
export async function readSources(folder: {
  readonly path: string;
  readonly source: string;
  readonly files: readonly string[];
}): Promise<Sources> {
  const { path, source, files } = folder;
  const read = files.filter(isText).map(async (file) => [file, await readFile(join(path, file), "utf8")] as const);
  return { source, files, texts: new Map(await Promise.all(read)) };
}

/** The text of a file under the name that problems give it. */
export function documentOf({ source, texts }: Sources, file: string): SourceDocument {
  return { uri: `${source}/${file}`, text: texts.get(file) ?? "" };
}

/** Where a problem with a file as a whole stands. */
export function startOf({ source }: Sources, file: string): Pick<Problem, "position" | "path"> {
  return { position: { uri: `${source}/${file}`, line: 1, column: 1 }, path: "" };
}

/** The place of a JSON Pointer in a YAML file that has been read already; the nearest one above it where there is none. */
export function placeIn(document: SourceDocument, pointer: string): Place | undefined {
  const { root } = parseYaml(document);
  return root && placeAt(rootPlace(root), pointer);
}

/**
 * Everything that the bundler takes for code, whatever it is called: it runs a `.d.ts` that is imported for its effects. Tests stay behind when a policy is
 * laid out.
 */
export function modulesOf({ files }: Sources): readonly string[] {
  return files.filter((file) => isCode(file) && !file.endsWith(".test.ts"));
}

const isCode = (file: string): boolean => /\.[cm]?[jt]sx?$/.test(file);
const isText = (file: string): boolean => isCode(file) || /\.(?:ya?ml|md|json)$/.test(file);
