import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonFault, type JsonVisitor, nestingMax, rewriteJson } from "../../../policies/mask/v1.0.0/json/rewrite-json.ts";

/** Changes every text, keeps count of places. */
const everything: JsonVisitor<string> = {
  root: "$",
  member: (parent, name) => `${parent}.${Buffer.from(name)}`,
  element: (parent, index) => `${parent}[${index}]`,
  replacesValue: () => undefined,
  text: (text) => Buffer.from(`<${Buffer.from(text)}>`),
};
const nothing: JsonVisitor<string> = { ...everything, text: (text) => text };
const replacing = (place: string): JsonVisitor<string> => ({
  ...nothing,
  replacesValue: (here) => (here === place ? (json) => JSON.stringify(`was ${Buffer.from(json)}`) : undefined),
});

const rewritten = (json: string | Uint8Array, visitor: JsonVisitor<string>): string =>
  Buffer.from(rewriteJson(Buffer.from(json), visitor)).toString();

describe("what is not changed stays as it is", () => {
  test.each([
    '{"a":1.0,"b":1E400,"c":-0,"d":12345678901234567890}',
    ' { "a" : [ ] , "a" : { } , "\\u0061" : "\\/\\u00e9\\ud83d" } \r\n\t',
    '"\\ud800"',
    "null",
    "\ufeff[true,false]",
    '{"":{"":[[]]}}',
  ])("%s", (json) => {
    const bytes = Buffer.from(json);
    expect(Buffer.from(rewriteJson(bytes, nothing))).toEqual(bytes);
  });

  test("the same object comes back", () => {
    const bytes = Buffer.from('{"a":[1,"b"]}');
    expect(rewriteJson(bytes, nothing)).toBe(bytes);
  });
});

test.each([
  ['{"a":"b"}', '{"<a>":"<b>"}'],
  ["[1, -2.50e+3 , true,null]", '["<1>", "<-2.50e+3>" , true,null]'],
  ['"\\u0041\\n\\ud83d\\ude00"', '"<A\\n😀>"'],
  [' {"a":{"a":"x"},"a":"y"} ', ' {"<a>":{"<a>":"<x>"},"<a>":"<y>"} '],
  ["\ufeff42", '\ufeff"<42>"'],
])("texts are decoded before and encoded after: %s", (json, expected) => {
  expect(rewritten(json, everything)).toBe(expected);
});

test.each([
  ["$.a", '{"a": {"b":[1]} , "b":1}', '{"a": "was {\\"b\\":[1]}" , "b":1}'],
  ["$.a[1]", '{"a":[1, "x",null]}', '{"a":[1, "was \\"x\\"",null]}'],
  ["$.a", '{"a":true,"a":false}', '{"a":"was true","a":"was false"}'],
  ["$", " [1] ", ' "was [1]" '],
  ["$.é", '{"\\u00e9":1}', '{"\\u00e9":"was 1"}'],
])("a value is replaced as a whole: %s of %s", (place, json, expected) => {
  expect(rewritten(json, replacing(place))).toBe(expected);
});

describe("what is no JSON is refused", () => {
  test.each([
    "",
    " ",
    "{",
    "[1,]",
    "[,1]",
    '{"a":1,}',
    '{"a"}',
    "{a:1}",
    "{'a':1}",
    '{"a":1}}',
    "[1] 2",
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "1e",
    "0x10",
    "NaN",
    "Infinity",
    "tru",
    "truee",
    '"a',
    '"\t"',
    '"\u001f"',
    '"\\x41"',
    '"\\u12"',
    '"\\',
    "// comment\n1",
    "[1][2]",
    "\ufeff\ufeff1",
    "\u00a01",
  ])("%j", (json) => {
    expect(() => rewritten(json, nothing)).toThrow(JsonFault);
    expect(() => rewritten(`{"replaced":${json}}`, replacing("$.replaced"))).toThrow(JsonFault);
  });

  test("says where, and nothing of what is there", () => {
    expect(() => rewritten('{"secret": tru}', nothing)).toThrow("the JSON is wrong at byte 11: a value is missing");
  });

  test("in bytes that are no UTF-8", () => {
    expect(() => rewritten(Buffer.from([0x22, 0xff, 0x22]), nothing)).toThrow("no UTF-8");
    expect(() => rewritten(Buffer.from('"a"', "utf16le"), nothing)).toThrow(JsonFault);
  });

  test("nested deeper than the bound, in a replaced value too", () => {
    const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
    expect(rewritten(nested(nestingMax), nothing)).toBe(nested(nestingMax));
    expect(() => rewritten(nested(nestingMax + 1), nothing)).toThrow("deeper than 500");
    expect(() => rewritten(nested(100_000), replacing("$"))).toThrow("deeper than 500");
    expect(() => rewritten('{"a":'.repeat(100_000), nothing)).toThrow("deeper than 500");
  });
});

/** JSON texts with blanks and escapes that JSON.stringify would not write. */
const jsonText = fc.tuple(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom("", " ", "\t"), fc.boolean()).map(([value, space, escaped]) => {
  const text = JSON.stringify(value, null, space);
  return escaped ? text.replace(/[^ -~\s]|[xyzXYZ]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`) : text;
});

test("texts and nothing else change, as in the parsed value", () => {
  fc.assert(
    fc.property(jsonText, (json) => {
      expect(JSON.parse(rewritten(json, everything))).toEqual(marked(JSON.parse(json)));
      expect(rewritten(json, nothing)).toBe(Buffer.from(json).toString());
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("exactly what JSON.parse takes is taken", () => {
  const broken = fc
    .tuple(
      jsonText,
      fc.nat(200),
      fc.constantFrom("", "{", "}", "[", "]", '"', "\\", ",", ":", "0", "-", ".", "e", "t", " ", "\u0001", "é"),
      fc.nat(3),
    )
    .map(([json, at, sign, dropped]) => json.slice(0, at % (json.length + 1)) + sign + json.slice((at % (json.length + 1)) + dropped));
  let taken = 0;
  fc.assert(
    fc.property(broken, (json) => {
      const text = Buffer.from(json).toString();
      const parses = succeeds(() => JSON.parse(text));
      if (parses) taken++;
      expect(
        succeeds(() => rewritten(text, nothing)),
        text,
      ).toBe(parses);
      expect(
        succeeds(() => rewritten(text, replacing("$"))),
        text,
      ).toBe(parses);
    }),
    { seed: 2, numRuns: 3_000 },
  );
  expect(taken).toBeGreaterThan(300);
});

function marked(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "number")
    return `<${typeof value === "number" ? JSON.stringify(value) : Buffer.from(value)}>`;
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [`<${Buffer.from(name)}>`, marked(part)]));
}

function succeeds(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof JsonFault || error instanceof SyntaxError) return false;
    throw error;
  }
}
