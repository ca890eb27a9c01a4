/** What makes a table of phases, and what makes the short form red. */
import { describe, expect, test } from "vitest";
import { readBaseline, regressions } from "./speed/baseline.ts";
import { chainNames, chainSteps } from "./speed/chains.ts";
import { engine } from "./speed/contenders.ts";
import { addedOf, ratioOf, spreadOf } from "./speed/figures.ts";
import type { Phase } from "./speed/measure.ts";
import { contendersOf, fullPlan, shortPlan } from "./speed/plan.ts";
import { playRounds } from "./speed/rounds.ts";
import type { Place } from "./speed/stage.ts";

const phase = (contender: string, cpuUs: number): Phase => ({
  contender,
  answers: 1,
  wrong: 0,
  faults: [],
  perSecond: 1,
  cpuUs,
  envoyUs: 0,
  latency: undefined,
});

const place = (name: string): Place => ({
  contender: { name, processor: { kind: "nobody", filter: "none" }, load: "headers" },
  port: 0,
  requests: [],
  running: undefined,
});

test("everybody stands between two phases of the reference, and neighbours share one", async () => {
  const order: string[] = [];
  let drift = 10;
  const rounded = await playRounds({
    reference: place("reference"),
    places: [place("a"), place("b")],
    count: 2,
    measure: async ({ contender }) => {
      order.push(contender.name);
      drift += 1;
      return phase(contender.name, contender.name === "reference" ? drift : 2 * drift);
    },
    onPhase: () => {},
  });
  const round = ["reference", "a", "reference", "b", "reference"];
  expect(order).toEqual([...round, ...round]);
  // The machine becomes slower all the time, and the ratios do not.
  for (const sandwiches of rounded.values()) {
    expect(sandwiches.map((sandwich) => ratioOf(sandwich, ({ cpuUs }) => cpuUs))).toEqual([2, 2]);
    expect(sandwiches.map((sandwich) => addedOf(sandwich, ({ cpuUs }) => cpuUs) / (sandwich.phase.cpuUs / 2))).toEqual([1, 1]);
  }
});

test("a spread is of what was measured", () => {
  expect(spreadOf([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
  expect(spreadOf([3, Number.NaN])).toEqual({ min: 3, median: 3, max: 3 });
  expect(spreadOf([])).toBeUndefined();
});

describe("against what is committed", () => {
  const row = (cpuRatios: readonly number[]) => ({ contender: "engine", reference: "no-op", cpuRatios });

  test.for([
    { what: "as it was", ratios: [1, 1.2, 0.9], red: false },
    { what: "twice in two rounds of three", ratios: [2.5, 2.5, 1.9], red: false },
    { what: "more than twice in each", ratios: [2.5, 2.1, 9], red: true },
  ])("$what", ({ ratios, red }) => {
    expect(regressions([row(ratios)], { engine: 1 })).toHaveLength(red ? 1 : 0);
  });

  test("a row that nothing is committed for is told; the reference and who is nobody have none", () => {
    expect(regressions([row([1])], {})).toEqual(["engine: tests/bench/baseline.json has no ratio for it"]);
    expect(regressions([{ contender: "no-op", reference: "no-op", cpuRatios: [1] }, row([0])], {})).toEqual([]);
  });

  test("there is a ratio for each engine of the short form, and for nobody else", () => {
    const engines = contendersOf(shortPlan).filter(({ processor }) => processor.kind === "engine");
    expect(Object.keys(readBaseline()).sort()).toEqual(engines.map(({ name }) => name).sort());
  });
});

test("names of contenders are of one contender each", () => {
  for (const plan of [fullPlan, shortPlan]) {
    const all = plan.groups.flatMap(({ contenders }) => contenders).map(({ name }) => name);
    expect(new Set(all).size).toBe(all.length);
  }
  const names = chainNames.map((chain) => engine("grpc-js", chain).name);
  expect(new Set(names).size).toBe(chainNames.length);
  expect(chainSteps.five).toHaveLength(5);
  expect(chainSteps.ten).toHaveLength(10);
});
