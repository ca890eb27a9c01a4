import { expect, test } from "vitest";
import { headerValue } from "./header-rules.ts";

test("of all bytes those are refused that Envoy refuses: control characters but for the tab", () => {
  const refused = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => {
    try {
      headerValue("x-a", Uint8Array.of(0x61, byte, 0x61));
      return false;
    } catch {
      return true;
    }
  });
  expect(refused).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, ...Array.from({ length: 22 }, (_, index) => 10 + index), 127]);
});

test.each([
  ["  a b\t", "a b"],
  [" \t ", ""],
  ["", ""],
  ["\u00a0a\u00a0", "\u00a0a\u00a0"],
])("blanks at the ends belong to no value: %j is %j", (value, expected) => {
  expect(Buffer.from(headerValue("x-a", value)).toString("utf8")).toBe(expected);
});
