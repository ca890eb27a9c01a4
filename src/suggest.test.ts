import { expect, test } from "vitest";
import { suggest } from "./suggest.ts";

const fields = ["path", "method", "headers", "host", "query"];

test.each([
  ["pth", "path"],
  ["paht", "path"],
  ["Path", "path"],
  ["metod", "method"],
  ["header", "headers"],
  ["qeury", "query"],
  ["hosts", "host"],
])("%s was meant to be %s", (word, meant) => {
  expect(suggest(word, fields)).toBe(meant);
});

test.each(["", "zebra", "pa", "hd", "query2023", "x".repeat(1_000)])("nothing is near %s", (word) => {
  expect(suggest(word, fields)).toBeUndefined();
});

test("the nearest wins, the first among equals", () => {
  expect(suggest("scope", ["scop", "scopes", "slope"])).toBe("scop");
  expect(suggest("issuer", ["issuers", "issuer2", "tissue"])).toBe("issuers");
});

test("the word itself is no suggestion", () => {
  expect(suggest("path", ["path"])).toBeUndefined();
});
