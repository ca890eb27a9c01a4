import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTraceparent } from "../../src/observe/trace-context.ts";

const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

describe("what W3C Trace Context calls a traceparent is read", () => {
  test.each([
    [`00-${trace}-${span}-01`, true],
    [`00-${trace}-${span}-00`, false],
    [`00-${trace}-${span}-ff`, true],
    [`00-${trace}-${span}-02`, false],
    [`cc-${trace}-${span}-01`, true],
    [`cc-${trace}-${span}-01-what-the-future-will-be-like`, true],
  ])("%s", (text, sampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId: trace, parentSpanId: span, sampled });
  });
});

test.each([
  undefined,
  "",
  `ff-${trace}-${span}-01`,
  `00-${trace}-${span}-01-more`,
  `00-${trace}-${span}-01.`,
  `00-${trace}-${span}-1`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${"0".repeat(32)}-${span}-01`,
  `00-${trace}-${"0".repeat(16)}-01`,
  ` 00-${trace}-${span}-01`,
  `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
])("%s is none", (text) => {
  expect(parseTraceparent(text)).toBe(undefined);
});

test("whatever comes is read or is none, and never fails", () => {
  const pieces = fc.array(fc.constantFrom("00", "ff", "-", trace, span, "01", "0", "\n", "é"), { maxLength: 9 });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        pieces.map((all) => all.join("")),
      ),
      (text) => {
        const read = parseTraceparent(text);
        return read === undefined || (/^[\da-f]{32}$/.test(read.traceId) && /^[\da-f]{16}$/.test(read.parentSpanId));
      },
    ),
    { seed: 3, numRuns: 2_000 },
  );
});
