/** One step of a path. `descendant`: at any depth below. */
export interface Segment {
  readonly descendant: boolean;
  readonly selector: Selector;
}

export type Selector =
  | { readonly kind: "name"; readonly name: Buffer }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "any" };

const dotted = /(?<dots>\.\.?)(?:\*|(?<plain>[A-Za-z_\u{80}-\u{10ffff}][\w\u{80}-\u{10ffff}]*))/uy;
const bracketed =
  /(?<dots>\.\.)?\[[ \t]*(?:\*|(?<index>0|[1-9]\d{0,14})|'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)")[ \t]*\]/uy;

/**
 * Reads a JSONPath (RFC 9535 2.1 to 2.5) of names, indices, `*` and `..`.
 *
 * @returns none for `$`, the whole document
 * @throws Error that says where it goes wrong and how to write it
 */
export function parsePath(path: string): readonly Segment[] {
  const segments: Segment[] = [];
  let at = path.startsWith("$") ? 1 : 0;
  while (at === 0 || at < path.length) {
    const found = matchAt(dotted, path, at) ?? matchAt(bracketed, path, at);
    if (at === 0 || found === undefined) throw new Error(`the path \`${path}\` goes wrong at character ${at + 1}: ${remedy}`);
    const { dots, plain, index, single, double } = found.groups ?? {};
    const name = plain ?? unquoted(single?.replace(/\\'|"/g, (sign) => (sign === '"' ? '\\"' : "'")) ?? double, path);
    segments.push({ descendant: dots === "..", selector: selectorOf(name, index) });
    at += found[0].length;
  }
  return segments;
}

const remedy = "it is `$` with `.name`, `['any name']`, `[0]`, `.*`, `[*]` and `..name` behind it; filters, slices and lists are not known";

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function selectorOf(name: string | undefined, index: string | undefined): Selector {
  if (name !== undefined) return { kind: "name", name: Buffer.from(name) };
  return index === undefined ? { kind: "any" } : { kind: "index", index: Number(index) };
}

/** RFC 9535 2.3.1.1: the escapes are those of JSON. */
function unquoted(text: string | undefined, path: string): string | undefined {
  if (text === undefined) return undefined;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    throw new Error(`the path \`${path}\` has an escape that JSON does not know`);
  }
}
