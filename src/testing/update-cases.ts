import {
  Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  Pair,
  parse,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import { canonicalJson } from "../config/canonical.ts";
import type { Expectation } from "./case-format.ts";

/** Longer expectations are written in several lines. */
const columnsMax = 140;

/**
 * The text of a case file with other expectations for some cases, by the cases' names. Everything else stays as it is, byte by byte: comments,
 * quotes, order. Comments inside a replaced expectation are lost.
 *
 * @throws when a case cannot be rewritten so, for example because another one refers to a part of its expectation by an alias; the message
 * says which and what to do
 */
export function updateCases(text: string, expectations: ReadonlyMap<string, Expectation>): string {
  const lines = new LineCounter();
  const cases: unknown = parseDocument(text, { lineCounter: lines }).get("cases");
  const items = isNode(cases) && "items" in cases && Array.isArray(cases.items) ? cases.items : [];
  let updated = text;
  // From the end, so that what is still to be replaced stays where it was.
  for (const item of items.toReversed()) {
    const expectation = isMap(item) ? expectations.get(String(item.get("name"))) : undefined;
    if (expectation !== undefined && isMap(item)) updated = withExpectation(updated, item, expectation, lines);
  }
  demandOnlyThese(text, updated, expectations);
  return updated;
}

function withExpectation(text: string, item: YAMLMap, expectation: Expectation, lines: LineCounter): string {
  const old = item.items.find(({ key }) => isScalar(key) && key.value === "expect");
  const [first] = item.items;
  const last = item.items.at(-1);
  if (first === undefined || last === undefined) return text;
  const indent = lines.linePos(startOf(first)).col - 1;
  const written = entryText(expectation, indent, item.flow === true);
  if (old !== undefined) return text.slice(0, startOf(old)) + written + text.slice(endOf(old, text));
  const end = endOf(last, text);
  if (item.flow === true) return `${text.slice(0, end)}, ${written}${text.slice(end)}`;
  const endOfLine = end + (/^.*/.exec(text.slice(end))?.[0].length ?? 0);
  return `${text.slice(0, endOfLine)}\n${" ".repeat(indent)}${written}${text.slice(endOfLine)}`;
}

/** In one line where it fits, as people write short expectations. */
function entryText(expect: Expectation, indent: number, flow: boolean): string {
  const document = new Document({ expect });
  // A line break in the text would not survive being indented, and a comment may follow.
  visit(document, {
    Scalar: (_, node) => {
      if (String(node.value).includes("\n")) node.type = "QUOTE_DOUBLE";
    },
  });
  const style = { lineWidth: 0, singleQuote: false, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER };
  const line = document.toString({ ...style, collectionStyle: "flow" }).trim();
  const inner = line.replace(/^\{ /, "").replace(/ \}$/, "");
  if (flow || indent + inner.length <= columnsMax) return inner;
  return document
    .toString(style)
    .trimEnd()
    .replaceAll("\n", `\n${" ".repeat(indent)}`);
}

function startOf({ key }: Pair): number {
  return isNode(key) ? (key.range?.[0] ?? 0) : 0;
}

/** Where an entry's last character is; what the library says of a block reaches to the next entry. */
function endOf({ key, value }: Pair, text: string): number {
  const node = isNode(value) ? value : key;
  if (isCollection(node) && node.flow !== true) {
    const last = node.items.at(-1);
    if (isPair(last)) return endOf(last, text);
    if (isNode(last)) return endOf(new Pair(last), text);
  }
  return text.slice(0, isNode(node) ? node.range?.[1] : 0).trimEnd().length;
}

function demandOnlyThese(before: string, after: string, expectations: ReadonlyMap<string, Expectation>): void {
  const wanted = casesIn(before).map((one) => ({ ...one, ...expectationOf(one, expectations) }));
  if (canonicalJson(casesIn(after)) === canonicalJson(wanted)) return;
  throw new Error(`these cases cannot be rewritten, write their \`expect\` by hand: ${[...expectations.keys()].join("; ")}`);
}

function expectationOf(one: Readonly<Record<string, unknown>>, expectations: ReadonlyMap<string, Expectation>): object {
  const expect = expectations.get(String(one.name));
  return expect === undefined ? {} : { expect };
}

function casesIn(text: string): readonly Readonly<Record<string, unknown>>[] {
  try {
    const file: { readonly cases: readonly Readonly<Record<string, unknown>>[] } = parse(text);
    return file.cases;
  } catch {
    return [];
  }
}
