/**
 * YAML text -> nodes with positions. The only file that knows the YAML library.
 *
 * YAML 1.2 with the core schema, one document per text. Everything that means different things to different readers is refused: tags,
 * directives, merge keys, keys that are not text, numbers that JSON cannot hold.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type ParsedNode, parseDocument, type YAMLError } from "yaml";
import { type Position, type Problem, problem } from "../errors.ts";
import { lineFinder } from "./lines.ts";
import { keyPath, type MapEntry, type Node, type ScalarNode } from "./node.ts";
import { sourceOffsets } from "./scalar-offsets.ts";
import type { SourceDocument } from "./types.ts";

/** A text longer than this is refused before it is parsed; UTF-16 units. */
export const documentCharactersMax = 2 * 1024 * 1024;
/** Values in a document, each alias counted as what it stands for. */
export const documentNodesMax = 200_000;
/** Maps and lists inside each other. */
export const documentDepthMax = 64;
/** After a syntax error the next ones are often its echo. */
const syntaxProblemsMax = 5;

export interface ParsedDocument {
  readonly uri: string;
  /** Undefined when the text cannot be read as a whole; then there are problems. */
  readonly root: Node | undefined;
  readonly problems: readonly Problem[];
}

/** Never throws. A document with problems can still have a root: then whatever else is wrong with it can be found in the same run. */
export function parseYaml(source: SourceDocument): ParsedDocument {
  const { uri, text } = source;
  const start = { uri, line: 1, column: 1 };
  if (text.length > documentCharactersMax) {
    const facts = { what: "characters in one document", max: documentCharactersMax };
    return { uri, root: undefined, problems: [problem("yaml-too-large", { position: start, path: "" }, facts)] };
  }
  // Not the library's line counter: it misses lines where the syntax is broken.
  const find = lineFinder(text);
  const positionAt = (offset: number): Position => ({ uri, ...find(offset) });
  // The library compares every key with every other one (20,000 keys: 6 s), so duplicates are found while the nodes are made.
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, uniqueKeys: false });
  const problems = [...syntaxProblems(document.errors, text, positionAt), ...directiveProblems(document, start)];
  if (problems.length > 0) return { uri, root: undefined, problems };
  return { uri, ...buildNodes(document.contents, text, positionAt) };
}

function syntaxProblems(errors: readonly YAMLError[], text: string, positionAt: (offset: number) => Position): Problem[] {
  const exhausted = errors.filter((error) => error.code === "RESOURCE_EXHAUSTION").slice(0, 1);
  // What else is wrong with a line is mostly an echo.
  const byLine = new Map<number, YAMLError>();
  for (const error of exhausted.length > 0 ? exhausted : errors) {
    const { line } = positionAt(error.pos[0]);
    if (!byLine.has(line)) byLine.set(line, error);
  }
  return [...byLine.values()].slice(0, syntaxProblemsMax).map((error) => {
    const where = { position: positionAt(error.pos[0]), path: "" };
    if (error.code === "MULTIPLE_DOCS") return unsupported(where, "a second document in one text", "put it into a file of its own");
    if (error.code === "NON_STRING_KEY") return unsupported(where, "a key that is not plain text", "use text as the key");
    if (error.code === "RESOURCE_EXHAUSTION") return problem("yaml-too-large", where, { what: "levels of nesting", max: documentDepthMax });
    return problem("yaml-syntax", where, { detail: lowerFirst(error.message), hint: hintFor(error, text) });
  });
}

/** What is usually behind a message of the library: an expression that YAML reads as something else than text. */
function hintFor({ message, pos }: YAMLError, text: string): string | undefined {
  const needsQuotes = "text that starts with `!`, `&` or `*` needs quotes around it";
  if (message.startsWith("Nested mappings")) return "text that holds `: ` needs quotes around it";
  if (message.startsWith("Tags and anchors")) return needsQuotes;
  if (!message.startsWith("Unexpected scalar")) return undefined;
  const before = text.slice(Math.max(pos[0] - 80, 0), pos[0]);
  return /["']\s*$/.test(before) ? "text that starts with a quote ends at the next one: put other quotes around the whole" : needsQuotes;
}

/** `%YAML 1.1` would turn `yes` into true and `<<` into a merge. */
function directiveProblems(document: Document, position: Position): Problem[] {
  const { yaml, tags } = document.directives ?? { yaml: {}, tags: { "!!": standardTags } };
  const plain = yaml.explicit !== true && Object.keys(tags).length === 1 && tags["!!"] === standardTags;
  return plain ? [] : [unsupported({ position, path: "" }, "a % directive", "remove it: documents are YAML 1.2 without tags")];
}

const standardTags = "tag:yaml.org,2002:";

function unsupported(where: Pick<Problem, "position" | "path">, what: string, instead: string): Problem {
  return problem("yaml-unsupported", where, { what, instead });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

interface Built {
  readonly node: Node;
  /** Values in it, aliases expanded. */
  readonly size: number;
  /** Levels of maps and lists in it, aliases expanded. */
  readonly height: number;
}

/** Stops the building: what follows would be as much too large. */
class TooLarge extends Error {
  readonly problem: Problem;
  constructor(found: Problem) {
    super(found.message);
    this.problem = found;
  }
}

function buildNodes(
  contents: ParsedNode | null,
  text: string,
  positionAt: (offset: number) => Position,
): { readonly root: Node | undefined; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  // An anchor whose node is not complete yet is undefined: an alias inside it would be a circle.
  const anchors = new Map<string, Built | undefined>();
  try {
    return { root: build(contents, "", 0).node, problems };
  } catch (error) {
    if (error instanceof TooLarge) return { root: undefined, problems: [...problems, error.problem] };
    throw error;
  }

  function build(node: ParsedNode | null, path: string, depth: number): Built {
    if (node === null) return { node: nothingAt(positionAt(0)), size: 1, height: 0 };
    const position = positionAt(node.range[0]);
    const where = { position, path };
    if (depth > documentDepthMax) throw tooDeep(where);
    if (isAlias(node)) return expand(node.source, where, depth);
    if (node.tag !== undefined) {
      problems.push(unsupported(where, "a tag", "remove it; text that starts with `!` needs quotes around it"));
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, undefined);
    const built = isScalar(node)
      ? { node: buildScalar(node.value, node.range, where), size: 1, height: 0 }
      : buildCollection(node, where, depth);
    if (built.size > documentNodesMax) throw new TooLarge(problem("yaml-too-large", where, { what: "values", max: documentNodesMax }));
    if (node.anchor !== undefined) anchors.set(node.anchor, built);
    return built;
  }

  function expand(alias: string, where: { position: Position; path: string }, depth: number): Built {
    const target = anchors.get(alias);
    if (target === undefined) {
      problems.push(problem("yaml-alias-unknown", where, { alias }));
      return { node: nothingAt(where.position), size: 1, height: 0 };
    }
    if (depth + target.height > documentDepthMax) throw tooDeep(where);
    return target;
  }

  function buildCollection(node: ParsedNode, where: { position: Position; path: string }, depth: number): Built {
    let size = 1;
    let height = 0;
    const child = (value: ParsedNode | null, path: string): Node => {
      const built = build(value, path, depth + 1);
      size += built.size;
      height = Math.max(height, built.height);
      return built.node;
    };
    if (isSeq<ParsedNode>(node)) {
      const items = node.items.map((item, index) => child(item, `${where.path}[${index}]`));
      return { node: { kind: "list", items, position: where.position }, size, height: height + 1 };
    }
    const entries = new Map<string, MapEntry>();
    for (const { key, value } of isMap<ParsedNode, ParsedNode | null>(node) ? node.items : []) {
      const name = isScalar(key) ? String(key.value) : "";
      const keyPosition = positionAt(key.range[0]);
      const entry = { keyPosition, value: value === null ? nothingAt(keyPosition) : child(value, keyPath(where.path, name)) };
      const refused = refuseKey(name, entries.get(name), { position: keyPosition, path: keyPath(where.path, name) });
      if (refused === undefined) entries.set(name, entry);
      else problems.push(refused);
    }
    return { node: { kind: "map", entries, position: where.position }, size, height: height + 1 };
  }

  function buildScalar(value: unknown, range: readonly number[], where: { position: Position; path: string }): ScalarNode {
    const { position } = where;
    const [start = 0, end = 0] = range;
    if (typeof value === "number" && !representable(value)) {
      problems.push(unsupported(where, "a number that JSON cannot hold exactly", "put it in quotes to make it text"));
    }
    if (typeof value === "string") {
      let offsets: readonly number[] | undefined;
      const positionOf = (offset: number): Position => {
        offsets ??= sourceOffsets(value, text.slice(start, end));
        return positionAt(start + (offsets[Math.min(Math.max(offset, 0), value.length)] ?? 0));
      };
      return { kind: "scalar", value, position, positionOf };
    }
    const simple = typeof value === "number" || typeof value === "boolean" ? value : null;
    return { kind: "scalar", value: simple, position, positionOf: () => position };
  }
}

function nothingAt(position: Position): ScalarNode {
  return { kind: "scalar", value: null, position, positionOf: () => position };
}

function tooDeep({ position }: { position: Position }): TooLarge {
  return new TooLarge(problem("yaml-too-large", { position, path: "" }, { what: "levels of nesting", max: documentDepthMax }));
}

function representable(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
}

function refuseKey(key: string, earlier: MapEntry | undefined, where: { position: Position; path: string }): Problem | undefined {
  if (earlier !== undefined) {
    return problem("yaml-duplicate-key", { ...where, related: [{ message: "first here", position: earlier.keyPosition }] }, { key });
  }
  if (key === "<<") return unsupported(where, "a merge key", "YAML 1.2 has no `<<`: write the entries out");
  if (key === "__proto__") return unsupported(where, "the key `__proto__`", "use another name");
  return key === "" ? unsupported(where, "an empty key", "give the entry a name") : undefined;
}
