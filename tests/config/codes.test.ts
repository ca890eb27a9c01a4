import { describe, expect, test } from "vitest";
import { problemCatalogue } from "../../src/errors.ts";
import { goldenTexts } from "./goldens.ts";

const inGoldens = new Set(goldenTexts().flatMap((text) => [...text.matchAll(/(?:error|warning)\[([\w-]+)\]/g)].map(([, code]) => code)));

describe("every error code is shown by a golden output", () => {
  test.each(Object.keys(problemCatalogue))("%s", (code) => {
    expect(inGoldens).toContain(code);
  });

  test("and no golden output shows a code that does not exist", () => {
    expect([...inGoldens].filter((code) => code === undefined || !Object.hasOwn(problemCatalogue, code))).toEqual([]);
  });
});
