import fc from "fast-check";
import { expect, test } from "vitest";
import { lineEditor } from "../../../policies/lib/streams/lines.ts";
import { cutAt, cuts, edited } from "./chunks.ts";

const marked = (line: Uint8Array): Uint8Array => Buffer.concat([Buffer.from("<"), line, Buffer.from(">")]);

test("a line leaves as soon as it is complete, with the end it came with", () => {
  const chunks = ["a\nb\r", "\nc", "\n\n", "\rd\r"].map((text) => Buffer.from(text));
  expect(edited([lineEditor(100, marked)], chunks).given).toEqual(["<a>\n", "<b>\r\n", "<c>\n<>\n", "", "<\rd\r>"]);
});

test("a line that is taken out leaves nothing behind, one that stays leaves as it came", () => {
  const editor = lineEditor(100, (line) => (line.length === 0 ? undefined : line));
  expect(edited([editor], [Buffer.from("\n\r\na\r\n\nb\n")]).bytes.toString()).toBe("a\r\nb\n");
});

test.each([
  ["with its end", "ab\n", undefined],
  ["a byte more", "abc\n", "a line is longer than 3 bytes"],
  ["not ended", "abcd", "a line is longer than 3 bytes"],
  ["behind others", "ab\nab\nabc\n", "a line is longer than 3 bytes"],
  ["the last", "abc", undefined],
])("the longest line: %s", (_, body, reason) => {
  for (const places of [[], [1], [1, 2, 3, 4, 5, 6, 7]]) {
    expect(edited([lineEditor(3, (line) => line)], cutAt(Buffer.from(body), places)).reason).toBe(reason);
  }
});

test("any chunks give what the whole gives", () => {
  const body = fc.array(fc.constantFrom("a", "bc", "\n", "\r\n", "\r", "é"), { maxLength: 30 }).map((parts) => Buffer.from(parts.join("")));
  fc.assert(
    fc.property(body, cuts, (bytes, places) => {
      const expected = bytes
        .toString("latin1")
        .replace(/([^\n]*?)(\r?\n|$)/g, (whole, line, end) => (whole === "" ? "" : `<${line}>${end}`));
      expect(edited([lineEditor(200, marked)], cutAt(bytes, places)).bytes.toString("latin1")).toBe(expected);
    }),
    { seed: 1, numRuns: 1_000 },
  );
});
