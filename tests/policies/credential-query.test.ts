import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { queryValues, withoutQueryParameter } from "../../policies/lib/credential-places/query.ts";

const name = "api_key";
const runs = { seed: 3, numRuns: 500 };

/** A character as it is, or escaped in either case. */
const escaped = (text: string): fc.Arbitrary<string> =>
  fc
    .tuple(...[...text].map((character) => fc.constantFrom(character, percent(character), percent(character).toLowerCase())))
    .map((characters) => characters.join(""));
const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;

const rest = fc.string({ unit: fc.constantFrom(..."abkeyip_=+;?/%2F5f7eE4zÄ~") });
const keyPair = fc
  .tuple(
    escaped(name),
    rest.map((text) => `=${text}`),
  )
  .map((parts) => parts.join(""));
const otherPair = rest.filter((pair) => queryValues(pair, name).length === 0);
const pairs = fc.array(fc.oneof(keyPair, otherPair), { maxLength: 8 });

/** An independent reading of the same rules; the leading `&` keeps it from taking a first `?` for the mark before a query. */
const readByPlatform = (query: string): readonly string[] => new URLSearchParams(`&${query}`).getAll(name);

describe("reading a key from a query", () => {
  test.each([
    ["", []],
    ["api_key=k", ["k"]],
    ["a=1&api_key=k&b", ["k"]],
    ["api_key", [""]],
    ["api_key=", [""]],
    ["api_key=a=b", ["a=b"]],
    ["api_key=a&api_key=b", ["a", "b"]],
    ["%61pi%5fkey=k", ["k"]],
    ["api_key=a%2Bb+c", ["a+b c"]],
    ["api_key=%C3%A4", ["ä"]],
    ["api_key=%zz", ["%zz"]],
    ["API_KEY=k&api-key=k&xapi_key=k&api_keyx=k", []],
    ["a=api_key=k", []],
    ["a=1;api_key=k", []],
    ["?api_key=k", []],
  ])("%j holds %j", (query, values) => {
    expect(queryValues(query, name).map((value) => new TextDecoder().decode(value))).toEqual(values);
  });

  test("finds as many as the platform's own parser in any text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          pairs.map((list) => list.join("&")),
          fc.string({ unit: "grapheme" }),
        ),
        (query) => {
          expect(queryValues(query, name)).toHaveLength(readByPlatform(query).length);
        },
      ),
      runs,
    );
  });

  test("reads what a client encoded", () => {
    fc.assert(
      fc.property(
        escaped(name),
        fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
        (spelling, value) => {
          const query = `a=1&${spelling}=${encodeURIComponent(value)}&b=2`;
          expect(queryValues(query, name).map((bytes) => Buffer.from(bytes).toString())).toEqual([value]);
        },
      ),
      runs,
    );
  });
});

describe("taking a key out of a query", () => {
  test("leaves every other byte, in its order", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const others = list.filter((pair) => queryValues(pair, name).length === 0);
        expect(withoutQueryParameter(list.join("&"), name)).toBe(others.join("&"));
      }),
      runs,
    );
  });

  test("leaves none, and a second time changes nothing", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const once = withoutQueryParameter(list.join("&"), name);
        expect(readByPlatform(once)).toEqual([]);
        expect(withoutQueryParameter(once, name)).toBe(once);
      }),
      runs,
    );
  });
});
