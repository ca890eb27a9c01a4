import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMetrics } from "../../src/observe/metrics.ts";
import {
  createStepCounters,
  type StepCounters,
  type StepLabels,
  type StepOutcome,
  type StepPhase,
} from "../../src/observe/step-counters.ts";
import { type ParsedSample, parseMetrics } from "./parse-metrics.ts";

const labels = (step: string): StepLabels => ({ chain: "api", step, policy: `${step}@1.0.0` });
const outcomes: readonly StepOutcome[] = ["ran", "skipped", "replied", "failed", "timed-out", "overrun", "refused"];
const phases: readonly StepPhase[] = ["request", "response"];
const boundsMs = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

function samplesOf(counters: StepCounters, family: "outcomes_total" | "duration_seconds"): readonly ParsedSample[] {
  const metrics = createMetrics();
  metrics.register(counters.families);
  return parseMetrics(metrics.expose()).get(`policy_engine_step_${family}`)?.samples ?? [];
}

describe("outcomes", () => {
  test("every outcome is counted under its step and phase", () => {
    const counters = createStepCounters();
    const [first, second] = [counters.allocate(labels("first"), 0), counters.allocate(labels("second"), 0)];
    for (const [phaseNumber, phase] of phases.entries()) {
      for (const [at, outcome] of outcomes.entries()) {
        for (let times = 0; times <= at + 10 * phaseNumber; times++) counters.count(second, phase, outcome);
      }
    }
    counters.count(first, "request", "failed");
    const values = samplesOf(counters, "outcomes_total").map(
      ({ labels: { step, phase, outcome }, value }) => `${step} ${phase} ${outcome} ${value}`,
    );
    expect(values.toSorted()).toEqual(
      [
        ...outcomes.map((outcome) => `first request ${outcome} ${outcome === "failed" ? 1 : 0}`),
        ...outcomes.map((outcome, at) => `second request ${outcome} ${at + 1}`),
        ...outcomes.map((outcome, at) => `second response ${outcome} ${at + 11}`),
      ].toSorted(),
    );
    expect(counters.read(second)).toMatchObject({
      ...labels("second"),
      runs: 12 + 16 + 18 + 20,
      skips: 14,
      replies: 16,
      errors: 18,
      timeouts: 20,
      refusals: 24,
    });
  });

  test("a reading has the durations of both phases, and when its counts began: with the first holder", () => {
    const counters = createStepCounters();
    const index = counters.allocate(labels("step"), 1_000);
    expect(counters.allocate(labels("step"), 2_000)).toBe(index);
    counters.observe(index, "request", 0.05);
    counters.observe(index, "response", 0.07);
    counters.observe(index, "response", 60_000);
    const { latency, since } = counters.read(index);
    expect(since).toBe(1_000);
    expect(latency.buckets).toEqual([1, 1, ...Array.from({ length: 15 }, () => 0), 1]);
    expect(latency.sumMs).toBeCloseTo(60_000.12);
    counters.free(index);
    counters.free(index);
    const next = counters.read(counters.allocate(labels("step"), 3_000));
    expect(next).toMatchObject({ since: 3_000, latency: { sumMs: 0, buckets: Array.from({ length: 18 }, () => 0) } });
  });

  test("a step that has done nothing is not in the text", () => {
    const counters = createStepCounters();
    counters.allocate(labels("idle"), 0);
    expect(samplesOf(counters, "outcomes_total")).toEqual([]);
    expect(samplesOf(counters, "duration_seconds")).toEqual([]);
  });
});

describe("allocation", () => {
  test("a step that a new generation has too goes on counting, in one series", () => {
    const counters = createStepCounters();
    const old = counters.allocate(labels("step"), 0);
    counters.count(old, "request", "ran");
    const fresh = counters.allocate(labels("step"), 0);
    counters.count(old, "request", "ran");
    counters.free(old);
    counters.count(fresh, "request", "ran");
    expect(counters.read(fresh).runs).toBe(3);
    expect(samplesOf(counters, "outcomes_total").filter(({ value }) => value > 0)).toMatchObject([{ value: 3 }]);
  });

  test("a step that nobody holds disappears, and whoever gets its place starts at zero", () => {
    const counters = createStepCounters();
    const gone = counters.allocate(labels("gone"), 0);
    counters.count(gone, "request", "ran");
    counters.observe(gone, "request", 3);
    counters.free(gone);
    expect(samplesOf(counters, "outcomes_total")).toEqual([]);
    const next = counters.allocate(labels("next"), 0);
    expect(next).toBe(gone);
    counters.count(next, "request", "skipped");
    expect(counters.read(next)).toMatchObject({ ...labels("next"), runs: 0, skips: 1, refusals: 0, replies: 0, errors: 0, timeouts: 0 });
    expect(samplesOf(counters, "duration_seconds")).toHaveLength(20);
    expect(samplesOf(counters, "duration_seconds").filter(({ value }) => value > 0)).toEqual([]);
  });

  test("there is always room for more, and growing loses nothing", () => {
    const counters = createStepCounters(1);
    const indexes = Array.from({ length: 300 }, (_, nth) => {
      const index = counters.allocate(labels(`step-${nth}`), 0);
      for (let times = 0; times <= nth; times++) counters.count(index, "response", "overrun");
      counters.observe(index, "response", nth);
      counters.count(index, "response", "ran");
      return index;
    });
    expect(new Set(indexes).size).toBe(300);
    for (const [nth, index] of indexes.entries()) expect(counters.read(index)).toMatchObject({ step: `step-${nth}`, runs: 1 });
    const overruns = samplesOf(counters, "outcomes_total").filter(({ labels: { outcome } }) => outcome === "overrun");
    expect(new Map(overruns.map(({ labels: { step }, value }) => [step, value]))).toEqual(
      new Map(indexes.map((_, nth) => [`step-${nth}`, nth + 1])),
    );
    const sums = samplesOf(counters, "duration_seconds").filter(({ name }) => name.endsWith("_sum"));
    expect(new Map(sums.map(({ labels: { step }, value }) => [step, value]))).toEqual(
      new Map(indexes.map((_, nth) => [`step-${nth}`, nth / 1000])),
    );
  });
});

describe("durations", () => {
  test.each([
    [0, 0.000_05],
    [0.05, 0.000_05],
    [0.050_1, 0.000_1],
    [1, 0.001],
    [1.001, 0.002_5],
    [10_000, 10],
    [10_001, Number.POSITIVE_INFINITY],
  ])("%d ms falls into the bucket up to %d s, its bound included", (milliseconds, bound) => {
    const counters = createStepCounters();
    const index = counters.allocate(labels("step"), 0);
    counters.count(index, "request", "ran");
    counters.observe(index, "request", milliseconds);
    const filled = samplesOf(counters, "duration_seconds").filter(({ name, value }) => name.endsWith("_bucket") && value > 0);
    expect(Math.min(...filled.map(({ labels: { le } }) => (le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le))))).toBe(bound);
  });

  test("whatever is observed: buckets are cumulative, the last one and the count are the number of observations, the sum is theirs", () => {
    const observation = fc.record({
      step: fc.nat(4),
      phase: fc.constantFrom(...phases),
      milliseconds: fc.oneof(fc.double({ min: 0, max: 20_000, noNaN: true }), fc.constantFrom(...boundsMs)),
    });
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 60 }), (observations) => {
        const counters = createStepCounters(1);
        const indexes = [0, 1, 2, 3, 4].map((nth) => counters.allocate(labels(`s${nth}`), 0));
        for (const { step, phase, milliseconds } of observations) {
          counters.count(indexes[step] ?? 0, phase, "ran");
          counters.observe(indexes[step] ?? 0, phase, milliseconds);
        }
        const samples = samplesOf(counters, "duration_seconds");
        for (const step of indexes.keys()) {
          for (const phase of phases) {
            const expected = observations.filter((one) => one.step === step && one.phase === phase).map(({ milliseconds }) => milliseconds);
            const own = samples.filter((sample) => sample.labels.step === `s${step}` && sample.labels.phase === phase);
            const buckets = own.filter(({ name }) => name.endsWith("_bucket")).map(({ value }) => value);
            const cumulative = [...boundsMs, Number.POSITIVE_INFINITY].map((bound) => expected.filter((one) => one <= bound).length);
            expect(buckets).toEqual(expected.length === 0 ? [] : cumulative);
            const rest = own.filter(({ name }) => !name.endsWith("_bucket")).map(({ value }) => value);
            if (expected.length === 0) expect(rest).toEqual([]);
            else
              expect(rest).toEqual([
                expect.closeTo(
                  expected.reduce((sum, one) => sum + one / 1000, 0),
                  9,
                ),
                expected.length,
              ]);
          }
        }
      }),
      { seed: 20260102, numRuns: 100 },
    );
  });
});
