import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cookieValues, withoutCookie } from "../../policies/lib/credential-places/cookie.ts";
import { quickestMs } from "../support/quickest.ts";

const name = "api_key";
const runs = { seed: 3, numRuns: 500 };

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const text = (line: Uint8Array): string => Buffer.from(line).toString("latin1");

/** Every byte that a header value may hold, but `;`. */
const piece = fc
  .array(fc.constantFrom(..."abkeyip_= \t", ...Array.from({ length: 0x80 }, (_, index) => String.fromCharCode(0x80 + index))))
  .map((characters) => characters.join(""));
const blank = fc.constantFrom("", " ", "\t ", "  ");
const keyPiece = fc.tuple(blank, fc.constant(name), blank, fc.constant("="), piece).map((parts) => parts.join(""));
const otherPiece = piece.filter((one) => cookieValues([bytes(one)], name).length === 0);
const line = fc.array(fc.oneof(keyPiece, otherPiece), { minLength: 1, maxLength: 6 });
const lines = fc.array(line, { maxLength: 4 });

describe("reading a key from cookies", () => {
  test.each([
    [[], []],
    [["api_key=k"], ["k"]],
    [["a=1; api_key=k; b=2"], ["k"]],
    [["a=1;api_key=k;b=2"], ["k"]],
    [["a=1; \tapi_key = k \t"], ["k"]],
    [["api_key="], [""]],
    [["api_key=a=b"], ["a=b"]],
    [['api_key="k"'], ['"k"']],
    [
      ["api_key=a", "b=1; api_key=c"],
      ["a", "c"],
    ],
    [["api_key", "API_KEY=k; xapi_key=k; api_keyx=k; a=api_key=k"], []],
    [["\xa0api_key=k"], []],
    [["api_key=\xe4\xf6"], ["\xe4\xf6"]],
  ])("%j holds %j", (header, values) => {
    expect(cookieValues(header.map(bytes), name).map(text)).toEqual(values);
  });
});

describe("taking a key out of cookies", () => {
  test.each([
    [["api_key=k"], []],
    [["api_key=k;"], []],
    [["api_key=k; a=1"], ["a=1"]],
    [["a=1; api_key=k"], ["a=1"]],
    [["a=1; api_key=k; b=2"], ["a=1; b=2"]],
    [["a=1;api_key=k;b=2"], ["a=1;b=2"]],
    [["api_key=k", "a=1"], ["a=1"]],
    [["\xe4=1; api_key=k; b=\xf6"], ["\xe4=1; b=\xf6"]],
  ])("%j becomes %j", (header, rest) => {
    expect(withoutCookie(header.map(bytes), name).map(text)).toEqual(rest);
  });

  test("leaves every other byte, in its order, but for blanks at the ends of a line", () => {
    fc.assert(
      fc.property(line, (pieces) => {
        fc.pre(cookieValues(pieces.map(bytes), name).length > 0);
        const others = pieces.filter((one) => cookieValues([bytes(one)], name).length === 0);
        const rest = withoutCookie([bytes(pieces.join(";"))], name)
          .map(text)
          .join("");
        const [, kept] = /^[ \t]*(.*?)[ \t]*$/s.exec(others.join(";")) ?? [];
        expect(rest).toBe(kept);
      }),
      runs,
    );
  });

  test("does not touch lines without the key", () => {
    fc.assert(
      fc.property(lines, (given) => {
        const before = given.map((pieces) => bytes(pieces.join(";")));
        const after = withoutCookie(before, name);
        const untouched = before.filter((one) => cookieValues([one], name).length === 0);
        expect(after.filter((one) => before.includes(one))).toEqual(untouched);
        if (untouched.length === before.length) expect(after).toBe(before);
      }),
      runs,
    );
  });

  test("leaves none, and a second time changes nothing", () => {
    fc.assert(
      fc.property(lines, (given) => {
        const once = withoutCookie(
          given.map((pieces) => bytes(pieces.join(";"))),
          name,
        );
        expect(cookieValues(once, name)).toEqual([]);
        expect(withoutCookie(once, name)).toBe(once);
      }),
      runs,
    );
  });

  test("takes no longer for a long run of blanks than for anything else", () => {
    const header = [bytes(`a=1;${" ".repeat(60_000)}x${" ".repeat(60_000)}y; api_key=k`)];
    const run = () => cookieValues(header, name);
    expect(run()).toHaveLength(1);
    expect(quickestMs(run, 200)).toBeLessThan(200);
  });
});
