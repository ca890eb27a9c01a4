import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { literalSearch } from "../../src/expressions/literal-pattern.ts";
import { installedLibraries, loadPatternEngine, type PatternEngine } from "../../src/expressions/patterns.ts";
import { quickestMs } from "../support/quickest.ts";

const native = loadPatternEngine();
const fallback = loadPatternEngine({
  ...installedLibraries(),
  re2() {
    throw new Error("Cannot find module 're2'\nRequire stack: ...");
  },
});
const engines = [native.engine, fallback.engine];

test("the native library is taken without a word, the port with a loud one", () => {
  expect(native).toMatchObject({ engine: { name: "re2" } });
  expect(native.warning).toBeUndefined();
  expect(fallback.engine.name).toBe("re2js");
  expect(fallback.warning).toMatch(/NATIVE RE2 LIBRARY IS NOT AVAILABLE.*C\+\+ compiler.*npm run setup.*Cannot find module 're2'$/);
});

test("without either there is no engine", () => {
  const missing = () => {
    throw new Error("missing");
  };
  expect(() => loadPatternEngine({ re2: missing, re2js: missing })).toThrow("missing");
});

const subjects = [
  "",
  "a",
  "ab",
  "abc",
  "b\na",
  "a\nb",
  "/api/users/42",
  "x.example.com",
  "xexample.com",
  "ABC",
  "é",
  "ß",
  "😀",
  "5",
  "_",
  "-",
  "\u0001",
  "\\",
  "a.b",
  "a b",
  "foo bar",
  "aaaa",
];

describe.each(engines)("$name", (engine) => {
  test.each([
    ["a.c", ["abc"]],
    ["^a", ["a", "ab", "abc", "a\nb", "a.b", "a b", "aaaa"]],
    ["^/api/", ["/api/users/42"]],
    ["\\.example\\.com$", ["x.example.com"]],
    ["^$", [""]],
    ["(?m)^a$", ["a", "b\na", "a\nb"]],
    ["(?s)a.b", ["a\nb", "a.b", "a b"]],
    ["(?i)^abc$", ["abc", "ABC"]],
    ["^\\p{L}$", ["a", "é", "ß"]],
    ["^.$", ["a", "é", "ß", "😀", "5", "_", "-", "\u0001", "\\"]],
    ["^\\d$", ["5"]],
    ["(?P<n>o)o", ["foo bar"]],
    ["(?<n>o)o", ["foo bar"]],
    ["^\\x{1F600}$", ["😀"]],
    ["\\Qa.b\\E", ["a.b"]],
    ["^[[:alpha:]]{4}$", ["aaaa"]],
    ["^(a+)+$", ["a", "aaaa"]],
    ["\\bfoo\\b", ["foo bar"]],
    ["^\\\\$", ["\\"]],
  ])("%s", (source, matching) => {
    const pattern = compiled(engine, source);
    expect(pattern.source).toBe(source);
    expect(subjects.filter((subject) => pattern.test(subject))).toEqual(matching);
    expect(subjects.filter((subject) => pattern.test(Buffer.from(subject)))).toEqual(matching);
  });

  test.each([
    ["(?=a)", "invalid perl operator: (?=", /no lookahead/],
    ["(?!a)b", "invalid perl operator: (?!", /no lookahead/],
    ["(a)\\1", "invalid escape sequence: \\1", /no backreferences/],
    ["[", "missing ]: [", /Syntax/],
    ["(", "missing ): (", /Syntax/],
    [")", "unexpected ): )", /Syntax/],
    ["a**", "bad repetition operator: **", /Syntax/],
    ["*a", "no argument for repetition operator: *", /Syntax/],
    ["a{1001}", "invalid repetition size: {1001}", /1000 times/],
    ["a\\", "trailing \\", /Syntax/],
    ["[z-a]", "invalid character class range: z-a", /Syntax/],
    ["\\u0041", "invalid escape sequence: \\u", /x\{1F600\}/],
    ["\\cA", "invalid escape sequence: \\c", /Syntax/],
    ["\\C", "invalid escape sequence: \\C", /Syntax/],
    ["(\\pL{100}){100}", undefined, /fewer times|1000 times/],
    ["\\pL{1000}\\pN{1000}", "pattern too large", /fewer times/],
  ])("%s is refused in the same words", (source, detail, remedy) => {
    const result = engine.compile(source);
    if (!("problem" in result)) throw new Error("it was accepted");
    if (detail !== undefined) expect(result.problem.message).toBe(`not a regular expression in RE2's syntax: ${detail}`);
    expect(result.problem.remedy).toMatch(remedy);
  });

  test("a pattern longer than the bound is refused", () => {
    expect("pattern" in engine.compile("a".repeat(1_024))).toBe(true);
    expect(engine.compile("a".repeat(1_025))).toMatchObject({ problem: { message: "the pattern has more than 1024 characters" } });
  });

  test("what stands before the place where the search begins counts for anchors and word boundaries", () => {
    const subject = Buffer.from("xé abc é\nabc");
    expect(compiled(engine, "abc").find(subject, 5)).toEqual({ start: 11, end: 14 });
    expect(compiled(engine, "\\bbc").find(subject, 5)).toBeUndefined();
    expect(compiled(engine, "^abc").find(subject, 4)).toBeUndefined();
    expect(compiled(engine, "(?m)^abc").find(subject, 4)).toEqual({ start: 11, end: 14 });
    expect(compiled(engine, "b*").find(subject, 14)).toEqual({ start: 14, end: 14 });
    expect(compiled(engine, "\\.").find(subject, 0)).toBeUndefined();
  });

  test("a search leaves nothing behind", () => {
    const pattern = compiled(engine, "b+c?");
    const subject = Buffer.from("abb.b");
    for (let round = 0; round < 2; round++) {
      expect(pattern.find(subject, 4)).toEqual({ start: 4, end: 5 });
      expect(pattern.test(subject)).toBe(true);
      expect(pattern.find(subject, 0)).toEqual({ start: 1, end: 3 });
    }
  });

  test("a quoted or escaped backslash is no foreign escape", () => {
    expect(compiled(engine, "^\\\\u$").test("\\u")).toBe(true);
    expect(compiled(engine, "^\\Q\\u\\E$").test("\\u")).toBe(true);
  });

  test("bytes that are no UTF-8 are latin1, as in the SDK's headers", () => {
    expect(compiled(engine, "^é.$").test(new Uint8Array([0xe9, 0xff]))).toBe(true);
    expect(compiled(engine, "^é$").test(Buffer.from("é"))).toBe(true);
    expect(compiled(engine, "a$").test(new Uint8Array([0xff, 0x61]))).toBe(true);
  });

  test("time is linear where a native RegExp takes minutes", () => {
    const run = (): boolean => compiled(engine, "^(a+)+$").test(`${"a".repeat(20_000)}!`);
    expect(run()).toBe(false);
    expect(quickestMs(run, 1_000)).toBeLessThan(1_000);
  });
});

/** Texts of a few characters, so that patterns meet subjects. */
const subject = fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "-", "\n", "é", "A"), maxLength: 12 });

/** Patterns whose meaning is the same to RE2 and to a RegExp with the flags `u` and, for `.`, no others. */
const { pattern: safePattern } = fc.letrec<{ pattern: string; part: string; atom: string }>((tie) => ({
  pattern: fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("")),
  part: fc.tuple(tie("atom"), fc.constantFrom("", "", "*", "+", "?", "{1,2}", "*?")).map(([atom, repeat]) => atom + repeat),
  atom: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom("a", "b", "/", "\\.", ".", "[ab]", "[^a]", "\\d", "\\w", "é"),
    fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => `(${left}|${right})`),
    tie("pattern").map((inner) => `(?:${inner})`),
  ),
}));

test("both engines agree with a native RegExp", () => {
  fc.assert(
    fc.property(
      safePattern,
      fc.constantFrom("", "^"),
      fc.constantFrom("", "$"),
      fc.array(subject, { minLength: 5, maxLength: 5 }),
      (inner, start, end, texts) => {
        const source = `${start}(?:${inner})${end}`;
        const expected = texts.map((text) => new RegExp(source, "u").test(text));
        for (const engine of engines) {
          const pattern = compiled(engine, source);
          expect(
            texts.map((text) => pattern.test(text)),
            engine.name,
          ).toEqual(expected);
          expect(
            texts.map((text) => pattern.test(Buffer.from(text))),
            engine.name,
          ).toEqual(expected);
        }
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

test("both engines find what a native RegExp finds, from any character on", () => {
  fc.assert(
    fc.property(
      safePattern,
      fc.constantFrom("", "^", "(?m)^", "\\b"),
      fc.constantFrom("", "$", "\\b"),
      subject,
      fc.nat(12),
      (inner, start, end, text, skipped) => {
        const source = `${start}(?:${inner})${end}`;
        const native = new RegExp(source.replace("(?m)", ""), start === "(?m)^" ? "gum" : "gu");
        // (?m) makes `$` the end of a line in both.
        native.lastIndex = Math.min(skipped, text.length);
        const from = Buffer.byteLength(text.slice(0, native.lastIndex));
        const found = native.exec(text);
        const [match, same] = engines.map((engine) => compiled(engine, source).find(Buffer.from(text), from));
        expect(match).toEqual(same);
        expect(match?.start).toBe(found === null ? undefined : Buffer.byteLength(text.slice(0, found.index)));
        // Repeated parts end elsewhere: a RegExp goes on in another way when one has matched the empty text.
        const ends = Buffer.byteLength(text.slice(0, native.lastIndex));
        if (found !== null && !/[*+?{]/.test(inner)) expect(match?.end).toBe(ends);
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});

test("a pattern that is only a text is tested and found as RE2 would", () => {
  const body = fc
    .array(fc.constantFrom("a", "b", "/", "\\.", "-", "\\-", " ", "\\$", "\\\\", "A"), { maxLength: 4 })
    .map((parts) => parts.join(""));
  const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "-", "$", "\\", " ", "\n", "é", "\ud800"), maxLength: 6 }), {
    minLength: 8,
    maxLength: 8,
  });
  let literals = 0;
  fc.assert(
    fc.property(body, fc.constantFrom("", "^"), fc.constantFrom("", "$"), texts, (middle, start, end, subjects) => {
      const literal = literalSearch(`${start}${middle}${end}`);
      if (literal === undefined) throw new Error("it is a text");
      literals++;
      // The group keeps RE2 in play.
      const pattern = compiled(native.engine, `${start}(?:${middle})${end}`);
      for (const text of [...subjects, middle.replace(/\\(.)/g, "$1")]) {
        expect(literal.test(text), text).toBe(pattern.test(text));
        const bytes = Buffer.from(text);
        const from = Buffer.byteLength(text.slice(0, 1));
        expect(literal.find(bytes, 0), text).toEqual(pattern.find(bytes, 0));
        expect(literal.find(bytes, from), text).toEqual(pattern.find(bytes, from));
        expect(literal.find(bytes, bytes.length), text).toEqual(pattern.find(bytes, bytes.length));
      }
    }),
    { seed: 2, numRuns: 300 },
  );
  expect(literals).toBe(300);
});

test.each(["a.b", "a*", "[a]", "a|b", "(a)", "\\d", "é", "a{2}", "^^", "a$b", "\\", "a?", "\\n"])("%s is no mere text", (source) => {
  expect(literalSearch(source)).toBeUndefined();
});

function compiled(engine: PatternEngine, source: string) {
  const result = engine.compile(source);
  if ("pattern" in result) return result.pattern;
  throw new Error(`${source}: ${result.problem.message}`);
}
