/** Every case of the facts is held, or says why not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { cases, conformanceChains, furtherRuns, settings } from "./case.ts";

const root = join(import.meta.dirname, "../../..");
const runs = [...cases().flatMap((one) => ("run" in one ? one.run : [])), ...furtherRuns()];

test("each of the numbers from 1 to 70 is there once", () => {
  expect(cases().map(({ number }) => number)).toEqual(Array.from({ length: 70 }, (_, index) => index + 1));
});

test.for(cases())("$number $fact", (one) => {
  const kinds = (["run", "test", "always", "unrunnable"] as const).filter((kind) => kind in one);
  expect(kinds).toHaveLength(1);
  if ("run" in one) expect(one.run.length).toBeGreaterThan(0);
  else if ("test" in one) expect(readFileSync(join(root, one.test.file), "utf8")).toContain(one.test.says);
  else expect(Object.values(one).at(-1)).toMatch(/\w+ \w+/);
});

test("a run that is not for the simulated Envoy says why", () => {
  for (const { name, envoyOnly = "in process too" } of runs) expect(envoyOnly, name).toMatch(/\w+ \w+/);
});

test("behind every step that waits for a body comes another one, in the order in which that direction runs", () => {
  const { chains }: { readonly chains: Readonly<Record<string, Chain>> } = parse(conformanceChains().config);
  const last = Object.entries(chains).filter(([, { steps }]) => waitsLast(steps, "request") || waitsLast(steps.toReversed(), "response"));
  expect(last.map(([name]) => name)).toEqual([]);
});

interface Chain {
  readonly steps: readonly {
    readonly when?: string;
    readonly parameters: Readonly<Record<string, unknown>> & {
      readonly buffered?: readonly string[];
      readonly streamed?: Readonly<Record<string, string>>;
    };
  }[];
}

/** Of the steps that have a handler. One under a condition is there to be skipped. */
function waitsLast(steps: Chain["steps"], direction: "request" | "response"): boolean {
  const last = steps.filter(({ when, parameters }) => when === undefined && direction in { ...parameters, ...parameters.streamed }).at(-1);
  return last?.parameters.buffered?.includes(direction) === true;
}

test("every run says where, in settings that are there", () => {
  const named = new Set(runs.flatMap(({ on = [] }) => on));
  expect([...named].filter((name) => !(name in settings()))).toEqual([]);
});

test("no two runs have the same name", () => {
  const names = runs.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
