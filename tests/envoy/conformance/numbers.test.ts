/** Every case of the facts is held, or says why not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cases, furtherRuns, settings } from "./case.ts";

const root = join(import.meta.dirname, "../../..");
const runs = [...cases().flatMap((one) => ("run" in one ? one.run : [])), ...furtherRuns()];

test("each of the numbers from 1 to 70 is there once", () => {
  expect(cases().map(({ number }) => number)).toEqual(Array.from({ length: 70 }, (_, index) => index + 1));
});

test.for(cases())("$number $fact", (one) => {
  const kinds = (["run", "test", "always", "later", "unrunnable"] as const).filter((kind) => kind in one);
  expect(kinds).toHaveLength(1);
  if ("run" in one) expect(one.run.length).toBeGreaterThan(0);
  else if ("test" in one) expect(readFileSync(join(root, one.test.file), "utf8")).toContain(one.test.says);
  else expect(Object.values(one).at(-1)).toMatch(/\w+ \w+/);
});

test("every run says where, in settings that are there", () => {
  const named = new Set(runs.flatMap(({ on = [] }) => on));
  expect([...named].filter((name) => !(name in settings()))).toEqual([]);
});

test("no two runs have the same name", () => {
  const names = runs.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
