import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MetricFamily, metricsText } from "../../src/observe/metrics.ts";
import { type Member, mergeMetrics, remains, sendable, withoutChains } from "../../src/processes/merge-metrics.ts";
import { parseMetrics } from "../observe/parse-metrics.ts";

const counter = (value: number, labels = {}): MetricFamily => ({
  name: "c_total",
  help: "c",
  type: "counter",
  samples: [{ labels, value }],
});
const gauge = (value: number, name = "g"): MetricFamily => ({ name, help: "g", type: "gauge", samples: [{ labels: {}, value }] });
const histogram = (buckets: ArrayLike<number>, sum: number, labels = {}, bounds = [1, 2]): MetricFamily => ({
  name: "h_seconds",
  help: "h",
  type: "histogram",
  bounds,
  series: [{ labels, buckets, sum }],
});

interface Case {
  readonly name: string;
  readonly members: readonly (readonly MetricFamily[])[];
  readonly text: readonly string[];
}

const cases: readonly Case[] = [
  { name: "counters are added up", members: [[counter(1)], [counter(2)]], text: ["c_total 3"] },
  {
    name: "each set of labels for itself, whatever the order of its labels",
    members: [[counter(1, { a: "x", b: "y" })], [counter(2, { b: "y", a: "x" })], [counter(4, { a: "z" })]],
    text: ['c_total{a="x",b="y"} 3', 'c_total{a="z"} 4'],
  },
  { name: "a gauge has a sample for each process", members: [[gauge(1)], [gauge(2)]], text: ['g{worker="0"} 1', 'g{worker="1"} 2'] },
  {
    name: "exchanges under way are added up",
    members: [[gauge(1, "policy_engine_exchanges_open")], [gauge(2, "policy_engine_exchanges_open")]],
    text: ["policy_engine_exchanges_open 3"],
  },
  {
    name: "histograms are added up bucket by bucket",
    members: [[histogram([1, 0, 2], 5)], [histogram([0, 1, 0], 1.5)]],
    text: [
      'h_seconds_bucket{le="1"} 1',
      'h_seconds_bucket{le="2"} 2',
      'h_seconds_bucket{le="+Inf"} 4',
      "h_seconds_sum 6.5",
      "h_seconds_count 4",
    ],
  },
  { name: "a family that only one of them has stays", members: [[counter(1)], []], text: ["c_total 1"] },
];

describe("several processes are one engine", () => {
  test.each(cases)("$name", ({ members, text }) => {
    const merged = metricsText(mergeMetrics(members.map((families, index) => ({ name: String(index), families }))));
    expect(merged.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual(text);
  });

  test("what cannot be added is said", () => {
    const merge =
      (...families: readonly MetricFamily[]) =>
      () =>
        mergeMetrics(families.map((one) => ({ name: "", families: [one] })));
    expect(merge(counter(1), { ...gauge(1), name: "c_total" })).toThrow(/c_total/);
    expect(merge(histogram([1, 1, 1], 1), histogram([1, 1], 1, {}, [1]))).toThrow(/bounds/);
  });
});

test("however processes come and go, a sum that was shown never falls, and nothing that was counted is lost", () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant("counts" as const), worker: fc.integer({ min: 0, max: 2 }), by: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constant("ends" as const), worker: fc.integer({ min: 0, max: 2 }) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const values = [0, 0, 0];
      let retired: readonly MetricFamily[] = [];
      let all = 0;
      for (const one of events) {
        if (one.kind === "counts") {
          values[one.worker] = (values[one.worker] ?? 0) + one.by;
          all += one.by;
        } else {
          retired = mergeMetrics([member(retired), member(remains([counter(values[one.worker] ?? 0), gauge(5)]))]);
          values[one.worker] = 0;
        }
        const families = mergeMetrics([...values.map((value) => member([counter(value)])), member(retired)]);
        expect(parseMetrics(metricsText(families)).get("c_total")?.samples).toEqual([{ name: "c_total", labels: {}, value: all }]);
      }
    }),
    { seed: 16, numRuns: 200 },
  );
});

test("chains that nobody has any more take their series with them", () => {
  const families = [counter(1, { chain: "old" }), histogram([1, 1, 1], 3, { chain: "new" }), gauge(1)];
  expect(withoutChains(families, (chain) => chain === "new")).toEqual([{ ...counter(0), samples: [] }, families[1], families[2]]);
});

test("what is sent holds nothing but its own numbers", () => {
  const all = new Float64Array([9, 9, 1, 2, 3, 9]);
  expect(sendable([histogram(all.subarray(2, 5), 1)])).toEqual([histogram([1, 2, 3], 1)]);
});

const member = (families: readonly MetricFamily[]): Member => ({ name: "", families });
