import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { characterEditor } from "../../../policies/lib/streams/characters.ts";
import { matchLength } from "../../../policies/lib/streams/match-length.ts";
import { contextBytes, matchEditor, replaceMatches, windowBytesMax } from "../../../policies/lib/streams/matches.ts";
import { patternFinder } from "../../../policies/lib/streams/patterns.ts";
import { installedLibraries, loadPatternEngine } from "../../../src/expressions/patterns.ts";
import { cutAt, cuts, edited } from "./chunks.ts";

const { engine } = loadPatternEngine();
const { engine: port } = loadPatternEngine({
  ...installedLibraries(),
  re2() {
    throw new Error("not installed");
  },
});
const budget = () => ({ bytesLeft: 1_000_000 });
const brackets = (match: Uint8Array): Uint8Array => Buffer.concat([Buffer.from("<"), match, Buffer.from(">")]);

function pattern(source: string, by = engine) {
  const result = by.compile(source);
  if ("pattern" in result) return result.pattern;
  throw new Error(`${source}: ${result.problem.message}`);
}

const editors = (source: string, by = engine) => [characterEditor(), matchEditor(patternFinder(pattern(source, by)), brackets)];
const everyByte = Array.from({ length: 500 }, (_, place) => place);

describe("matches across the borders of chunks", () => {
  test.each([
    ["\\d{3}", "12a123b1234567", "12a<123>b<123><456>7"],
    ["\\d{1,3}", "12a123b1234567", "<12>a<123>b<123><456><7>"],
    ["\\d{1,3}?", "12a", "<1><2>a"],
    ["^\\d", "12\n3", "<1>2\n3"],
    ["(?m)^\\d", "12\n3", "<1>2\n<3>"],
    ["\\d$", "12\n3", "12\n<3>"],
    ["(?m)\\d$", "12\n3", "1<2>\n<3>"],
    ["\\bab\\b", "ab cab abc ab", "<ab> cab abc <ab>"],
    ["\\Bb", "ab b", "a<b> b"],
    ["a(?:bbb)?", "abbabbb", "<a>bb<abbb>"],
    ["é{1,2}|😀", "éééa😀😀", "<éé><é>a<😀><😀>"],
    [".", "é😀", "<é><😀>"],
    ["(?i)sk-[a-z]{2,4}", "x SK-abcdef", "x <SK-abcd>ef"],
  ])("%s in %j", (source, body, expected) => {
    const bytes = Buffer.from(body);
    for (const places of [[], everyByte, [1], [2, 5]]) {
      expect(edited(editors(source), cutAt(bytes, places)).bytes.toString()).toBe(expected);
    }
    expect(Buffer.from(replaceMatches(bytes, patternFinder(pattern(source)), brackets, budget())).toString()).toBe(expected);
  });

  test("a text that is too short for one is not searched", () => {
    const finder = { ...patternFinder(pattern("ab?c")), find: () => expect.fail("searched") };
    expect(finder.matchBytesMin).toBe(2);
    expect(replaceMatches(Buffer.from("a"), finder, brackets, budget())).toHaveLength(1);
    expect(() => replaceMatches(Buffer.from("ab"), finder, brackets, budget())).toThrow("searched");
  });

  test("a text without one is the same object", () => {
    const text = Buffer.from("abc");
    expect(replaceMatches(text, patternFinder(pattern("\\d")), brackets, budget())).toBe(text);
  });

  test("no more is held back than twice what a match and its surroundings can be", () => {
    const finder = patternFinder(pattern("\\d{10}"));
    const editor = matchEditor(finder, (match) => match);
    let held = 0;
    for (let count = 0; count < 1_000; count++) {
      held += 7 - (editor.chunk(Buffer.from("12 45a7"))?.length ?? 0);
      expect(held).toBeLessThan(2 * (10 + contextBytes) + 7);
    }
    expect(held).toBe(editor.end()?.length);
  });
});

describe("matches without a bound", () => {
  test("are refused in a stream", () => {
    for (const source of ["a+", "a{1,1000}".repeat(9)]) {
      expect(() => matchEditor(patternFinder(pattern(source)), brackets)).toThrow(`matches can be longer than ${windowBytesMax} bytes`);
    }
    expect(() => matchEditor(patternFinder(pattern("a{1,1000}".repeat(8))), brackets)).not.toThrow();
  });

  test("are replaced in a whole, as long as that costs no more than the budget", () => {
    const finder = patternFinder(pattern("k(?:\\[[^\\]]*\\])?"));
    const text = Buffer.from("k[".repeat(1_000));
    expect(() => replaceMatches(text, finder, brackets, { bytesLeft: 500_000 })).toThrow("too many matches");
    expect(replaceMatches(text, finder, brackets, { bytesLeft: 2_000_000 })).toHaveLength(4_000);
  });

  test("share the budget", () => {
    const finder = patternFinder(pattern("\\d+"));
    const shared = { bytesLeft: 25 };
    const text = Buffer.from("0123456789");
    replaceMatches(text, finder, brackets, shared);
    replaceMatches(text, finder, brackets, shared);
    expect(() => replaceMatches(text, finder, brackets, shared)).toThrow("too many matches");
  });
});

test.each(["", "a*", "a?", "^", "\\b", "(?m)$", "a|b*", "(a|)", "x{0}", "(?i)", "\\B(?:a{0,3})"])(
  "%j matches the empty text and is refused",
  (source) => {
    expect(() => patternFinder(pattern(source))).toThrow("matches the empty text");
  },
);

test.each([
  ["abc", 3, 3],
  ["(?i)abc", 3, 12],
  ["a|bcd", 1, 3],
  ["a{2,5}b", 3, 6],
  ["a{2,}", 2, Number.POSITIVE_INFINITY],
  ["a{,3}", 5, 5],
  ["(ab){2}?", 4, 4],
  ["(?:\\b|^){3,}a", 1, 1],
  ["\\d{4}[ -]?\\d{4}", 8, 9],
  ["[é]", 1, 4],
  ["[^a]", 1, 4],
  ["\\D\\S\\W", 3, 12],
  ["[]a]", 1, 1],
  ["[^]a]b", 2, 5],
  ["[[:alpha:]\\]x]{2}", 2, 2],
  ["[[:^alpha:]]", 1, 4],
  ["[a\\pL]", 1, 4],
  ["\\p{Greek}\\x{1F600}\\x41", 3, 12],
  ["\\Qa.+\\E+", 3, Number.POSITIVE_INFINITY],
  ["\\Qa[b", 3, 3],
  ["\\.\\*\\(", 3, 3],
  ["(?P<x>a)(?<y>b)(?s:.)(?m)c", 4, 7],
  ["", 0, 0],
  ["(?:)", 0, 0],
  ["(a|b+){0}c", 1, 1],
])("a match of %s has from %i characters to %d bytes", (source, charactersMin, bytesMax) => {
  pattern(source);
  expect(matchLength(source)).toEqual({ charactersMin, bytesMax });
});

const texts = fc
  .array(fc.constantFrom("a", "b", "A", "k", "\u212a", "1", "23", " ", "-", "]", "[", "^", "\n", "é", "€", "😀", "_", "."), {
    maxLength: 40,
  })
  .map((parts) => Buffer.from(parts.join("")));

const { source: sources } = fc.letrec<{ source: string; part: string; atom: string }>((tie) => ({
  source: fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("")),
  part: fc.tuple(tie("atom"), fc.constantFrom("", "", "", "?", "{2}", "{1,3}", "{0,2}?", "??")).map((parts) => parts.join("")),
  atom: fc.oneof(
    { maxDepth: 1 },
    fc.constantFrom("a", "k", "1", "é", "😀", ".", "\\d", "\\D", "\\W", "\\s", "\\pL", "\\x{E9}", "\\x41", "\\Q.]\\E", "\\.", "-"),
    fc.constantFrom("[ab]", "[^a]", "[]a-]", "[^]\\n]", "[[:digit:]_]", "[\\]é]", "[\\s\\d]", "[^\\D]", "[[:^alpha:]]"),
    fc.constantFrom("^", "$", "\\b", "\\B", "\\A", "\\z"),
    fc.tuple(tie("source"), tie("source")).map(([left, right]) => `(?:${left}|${right})`),
    fc.tuple(fc.constantFrom("(", "(?P<n>", "(?i:", "(?s:", "(?m:"), tie("source")).map(([open, inner]) => `${open}${inner})`),
  ),
}));

const valid = fc
  .tuple(fc.constantFrom("", "(?i)", "(?s)", "(?m)", "(?is)"), sources)
  .map((parts) => parts.join(""))
  .filter((source) => "pattern" in engine.compile(source));

test("no match is longer or shorter than its pattern says", () => {
  let matches = 0;
  fc.assert(
    fc.property(valid, texts, (source, text) => {
      const { charactersMin, bytesMax } = matchLength(source);
      const match = pattern(source).find(text, 0);
      if (match === undefined) return;
      matches++;
      expect(match.end - match.start).toBeLessThanOrEqual(bytesMax);
      expect([...text.subarray(match.start, match.end).toString()].length).toBeGreaterThanOrEqual(charactersMin);
      if (pattern(source).test("")) expect(charactersMin).toBe(0);
    }),
    { seed: 1, numRuns: 600 },
  );
  expect(matches).toBeGreaterThan(150);
});

test("any chunks give what the whole gives", () => {
  let replaced = 0;
  fc.assert(
    fc.property(
      valid.filter((source) => matchLength(source).charactersMin > 0),
      fc.array(texts, { maxLength: 6 }).map((parts) => Buffer.concat(parts)),
      cuts,
      (source, body, places) => {
        const whole = replaceMatches(body, patternFinder(pattern(source)), brackets, budget());
        if (whole !== body) replaced++;
        for (const by of [engine, port]) {
          expect(edited(editors(source, by), cutAt(body, places)).bytes.toString(), by.name).toBe(Buffer.from(whole).toString());
        }
      },
    ),
    { seed: 2, numRuns: 600 },
  );
  expect(replaced).toBeGreaterThan(150);
});
