import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePath, type Segment } from "../../../policies/mask/v1.0.0/json/parse-path.ts";
import { createPathMatcher } from "../../../policies/mask/v1.0.0/json/path-matcher.ts";
import { rewriteJson } from "../../../policies/mask/v1.0.0/json/rewrite-json.ts";

/** The document with what stands at a path replaced by its number. */
function replaced(json: string, ...paths: string[]): string {
  const matcher = createPathMatcher(paths.map((path, index) => ({ segments: parsePath(path), value: `#${index}` })));
  const visitor = {
    ...matcher,
    replacesValue: ({ value }: { readonly value: string | undefined }) => (value === undefined ? undefined : () => JSON.stringify(value)),
    text: (text: Uint8Array) => text,
  };
  return Buffer.from(rewriteJson(Buffer.from(json), visitor)).toString();
}

const library =
  '{"store":{"book":[{"price":8,"title":"a"},{"price":9}],"bicycle":{"price":19}},"price":1,"a.b":2,"":3,"é":4,"it\'s":5,"say \\"hi\\"":6,"*":7}';

test.each<[string, ...string[]]>([
  ["$", '"#0"'],
  ["$.price", library.replace('"price":1,', '"price":"#0",')],
  ["$.store.book[0].price", library.replace("8", '"#0"')],
  ["$.store.book[*].price", library.replace("8", '"#0"').replace('"price":9', '"price":"#0"')],
  ["$['store'][\"bicycle\"].*", library.replace("19", '"#0"')],
  ["$..price", library.replace(/"price":\d+/g, '"price":"#0"')],
  ["$..book[1]", library.replace('{"price":9}', '"#0"')],
  ["$..[0]", library.replace('{"price":8,"title":"a"}', '"#0"')],
  ["$.store..price", library.replace(/"price":(8|9|19)/g, '"price":"#0"')],
  ["$['a.b']", library.replace('"a.b":2', '"a.b":"#0"')],
  ["$['']", library.replace('"":3', '"":"#0"')],
  ["$.é", library.replace('"é":4', '"é":"#0"')],
  ["$['\\u00e9']", library.replace('"é":4', '"é":"#0"')],
  ["$['it\\'s']", library.replace('s":5', 's":"#0"')],
  ["$[ 'say \"hi\"' ]", library.replace(":6", ':"#0"')],
  ['$["say \\"hi\\""]', library.replace(":6", ':"#0"')],
  ["$['*']", library.replace(":7", ':"#0"')],
  ["$.store.book[2]", library],
  ["$.store.book.price", library],
  ["$.Price", library],
  ["$[0]", library],
])("%s", (path, expected) => {
  expect(replaced(library, path)).toBe(expected);
});

test("the first path that leads to a place counts, and nothing below a replaced value", () => {
  expect(replaced('{"a":{"b":1},"b":2}', "$..b", "$.a", "$.b")).toBe('{"a":"#1","b":"#0"}');
  expect(replaced('{"a":1}', "$.*", "$")).toBe('"#1"');
});

test("a descendant that meets itself is found at every depth", () => {
  expect(replaced('{"a":{"x":{"a":1,"b":2}}}', "$..a..a..b")).toBe('{"a":{"x":{"a":1,"b":2}}}');
  expect(replaced('{"a":{"x":{"a":{"a":1,"b":2}}}}', "$..a..a..b")).toBe('{"a":{"x":{"a":{"a":1,"b":"#0"}}}}');
  expect(replaced('{"a":{"x":{"a":{"a":{"b":2}}}}}', "$..a..a..b")).toBe('{"a":{"x":{"a":{"a":{"b":"#0"}}}}}');
});

test("many of them cost what their segments cost, not what their combinations would", () => {
  const path = `$${"..a".repeat(12)}..z`;
  const document = `${'{"a":'.repeat(400)}{"z":1}${"}".repeat(400)}`;
  expect(replaced(document, path)).toContain('{"z":"#0"}');
});

test.each([
  "a",
  "",
  "$.",
  "$..",
  "$.first-name",
  "$.1",
  "$[-1]",
  "$[01]",
  "$[1:2]",
  "$['a','b']",
  "$[?(@.a)]",
  "$[a]",
  "$['a",
  "$.a b",
  "$...a",
  "$a",
  "$.['a']",
  "$[]",
  "$['\\x']",
  '$["it\\\'s"]',
])("%j is refused, with where and how to write it", (path) => {
  expect(() => parsePath(path)).toThrow(/the path `.*` (?:goes wrong at character \d+: it is `\$`|has an escape)/);
});

test("every document and path: as a reference says that keeps all ways in its head", () => {
  const names = fc.constantFrom("a", "b", "c");
  const { value: documents } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(0, "x", null, true),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(names, tie("value"), { maxKeys: 3 }),
    ),
  }));
  const segment = fc.oneof(
    names.chain((name) => fc.constantFrom(`.${name}`, `..${name}`, `['${name}']`, `..['${name}']`)),
    fc.constantFrom("[0]", "[1]", "..[0]", "[*]", ".*", "..*"),
  );
  const path = fc.array(segment, { maxLength: 4 }).map((segments) => `$${segments.join("")}`);
  let found = 0;
  fc.assert(
    fc.property(documents, fc.array(path, { minLength: 1, maxLength: 3 }), (document, paths) => {
      const json = JSON.stringify(document);
      const result = replaced(json, ...paths);
      if (result !== json) found++;
      expect(JSON.parse(result)).toEqual(reference(document, paths.map(parsePath), []));
    }),
    { seed: 1, numRuns: 1_000 },
  );
  expect(found).toBeGreaterThan(300);
});

type Key = string | number;

function reference(value: unknown, paths: readonly (readonly Segment[])[], way: readonly Key[]): unknown {
  const index = paths.findIndex((segments) => leadsTo(segments, way));
  if (index !== -1) return `#${index}`;
  if (Array.isArray(value)) return value.map((part, at) => reference(part, paths, [...way, at]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, reference(part, paths, [...way, name])]));
}

function leadsTo([segment, ...segments]: readonly Segment[], [key, ...way]: readonly Key[]): boolean {
  if (segment === undefined || key === undefined) return segment === undefined && key === undefined;
  const { descendant, selector } = segment;
  const selects =
    selector.kind === "any" ||
    (selector.kind === "name" ? typeof key === "string" && selector.name.toString() === key : selector.index === key);
  return (selects && leadsTo(segments, way)) || (descendant && leadsTo([segment, ...segments], way));
}
