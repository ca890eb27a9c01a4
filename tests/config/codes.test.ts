import { describe, expect, test } from "vitest";
import { problemCatalogue } from "../../src/errors.ts";
import { goldenTexts } from "./goldens.ts";
import { otherSources } from "./other-sources.ts";

const inGoldens = new Set(goldenTexts().flatMap((text) => [...text.matchAll(/(?:error|warning)\[([\w-]+)\]/g)].map(([, code]) => code)));

describe("every error code is shown by a golden output", () => {
  test.each(Object.keys(problemCatalogue))("%s", (code) => {
    const elsewhere = otherSources.some((other) => other === code);
    expect(
      inGoldens.has(code),
      elsewhere ? "it has a golden output now: remove it from other-sources.ts" : "no golden output shows it",
    ).toBe(!elsewhere);
  });

  test("no golden output shows a code that does not exist", () => {
    expect([...inGoldens].filter((code) => !(code ?? "").length || !(String(code) in problemCatalogue))).toEqual([]);
  });
});
