/**
 * What each step of each chain has done, in typed arrays: counting is adding to a number at an index that was fixed at load. Metrics and
 * statistics for providers read the same numbers.
 */
import type { HistogramSeries, MetricFamily, Sample } from "./metrics.ts";

export type StepPhase = "request" | "response";

/**
 * `refused`: the handler was not called, because the step needs a body that it cannot have, and the engine answered. `overrun`: a synchronous
 * handler took longer than its deadline, which cannot cut it short; counted beside its outcome.
 */
export type StepOutcome = "ran" | "skipped" | "refused" | "replied" | "failed" | "timed-out" | "overrun";

export interface StepLabels {
  readonly chain: string;
  readonly step: string;
  /** `policy@version` */
  readonly policy: string;
}

/** The counts of a step, both phases together: a step with two handlers runs twice in an exchange. */
export interface StepCounts extends StepLabels {
  /** Handler calls, however they ended. */
  readonly runs: number;
  readonly skips: number;
  readonly replies: number;
  /** Handlers that failed for other reasons than time. */
  readonly errors: number;
  readonly timeouts: number;
  /** Times that it could not have the body it needs, and the engine answered. */
  readonly refusals: number;
  /** How long handlers took. */
  readonly latency: {
    readonly sumMs: number;
    /** Calls in each bucket of `stepLatencyBoundsMs`, not cumulative; the last is what took longer than all of them. */
    readonly buckets: readonly number[];
  };
  /** When these began to count, milliseconds since the epoch. */
  readonly since: number;
}

export interface StepCounters {
  /**
   * Reserves counters for a step. Those of one chain, step and policy version are the same ones as long as anybody holds them: a step whose
   * parameters change goes on counting, and its series is in the metrics once.
   *
   * @param now milliseconds since the epoch: when they begin to count, if nobody has held them
   */
  allocate(labels: StepLabels, now: number): number;
  /** Gives them back, once per `allocate`. When nobody holds them, the step disappears from the metrics. */
  free(index: number): void;
  /** Allocates no memory. */
  count(index: number, phase: StepPhase, outcome: StepOutcome): void;
  /** How long a handler took, milliseconds. Allocates no memory. */
  observe(index: number, phase: StepPhase, milliseconds: number): void;
  read(index: number): StepCounts;
  families(): readonly MetricFamily[];
}

/** @param capacity for how many steps there is room at first; it doubles when needed */
export function createStepCounters(capacity = 16): StepCounters {
  const slots: (Slot | undefined)[] = [];
  const vacant: number[] = [];
  const indexes = new Map<string, number>();
  let counts = new Float64Array(capacity * countCells);
  let buckets = new Float64Array(capacity * bucketCells);
  let seconds = new Float64Array(capacity * phases.length);

  return {
    allocate({ chain, step, policy }, now) {
      const key = JSON.stringify([chain, step, policy]);
      const known = slots[indexes.get(key) ?? -1];
      if (known !== undefined) {
        known.holders += 1;
        return known.index;
      }
      const index = vacant.pop() ?? slots.length;
      slots[index] = { index, key, labels: { chain, step, policy }, since: now, holders: 1 };
      indexes.set(key, index);
      makeRoom(index + 1);
      return index;
    },
    free(index) {
      const slot = slots[index];
      if (slot === undefined) return;
      slot.holders -= 1;
      if (slot.holders > 0) return;
      slots[index] = undefined;
      indexes.delete(slot.key);
      vacant.push(index);
      counts.fill(0, index * countCells, (index + 1) * countCells);
      buckets.fill(0, index * bucketCells, (index + 1) * bucketCells);
      seconds.fill(0, index * phases.length, (index + 1) * phases.length);
    },
    count(index, phase, outcome) {
      const cell = countCell(index, phase, outcome);
      counts[cell] = (counts[cell] ?? 0) + 1;
    },
    observe(index, phase, milliseconds) {
      let bucket = 0;
      while (bucket < stepLatencyBoundsMs.length && milliseconds > (stepLatencyBoundsMs[bucket] ?? 0)) bucket++;
      const cell = bucketCell(index, phase) + bucket;
      buckets[cell] = (buckets[cell] ?? 0) + 1;
      const sum = index * phases.length + phaseNumber(phase);
      seconds[sum] = (seconds[sum] ?? 0) + milliseconds / 1000;
    },
    read(index) {
      const { labels: { chain, step, policy } = nobody, since = 0 } = slots[index] ?? {};
      const total = (outcome: StepOutcome): number => phases.reduce((sum, phase) => sum + countOf(index, phase, outcome), 0);
      const [replies, errors, timeouts] = [total("replied"), total("failed"), total("timed-out")];
      const runs = total("ran") + replies + errors + timeouts;
      const skips = total("skipped");
      return { chain, step, policy, runs, skips, replies, errors, timeouts, refusals: total("refused"), latency: latencyOf(index), since };
    },
    families() {
      const samples: Sample[] = [];
      const series: HistogramSeries[] = [];
      for (const slot of slots) if (slot !== undefined) for (const phase of phases) collect(slot, phase, samples, series);
      return [
        { name: "policy_engine_step_outcomes_total", help: "What steps did, by phase and outcome.", type: "counter", samples },
        { name: "policy_engine_step_duration_seconds", help: "How long a step's handler took.", type: "histogram", bounds, series },
      ];
    },
  };

  /** A phase in which a step never took part has no series; one in which it did has all outcomes, so that a first failure is seen as a rise from 0. */
  function collect({ index, labels }: Slot, phase: StepPhase, samples: Sample[], series: HistogramSeries[]): void {
    const values = outcomes.map((outcome) => countOf(index, phase, outcome));
    if (values.every((value) => value === 0)) return;
    for (const [at, outcome] of outcomes.entries()) samples.push({ labels: { ...labels, phase, outcome }, value: values[at] ?? 0 });
    const first = bucketCell(index, phase);
    const sum = seconds[index * phases.length + phaseNumber(phase)] ?? 0;
    series.push({ labels: { ...labels, phase }, buckets: buckets.subarray(first, first + stepLatencyBoundsMs.length + 1), sum });
  }

  function latencyOf(index: number): StepCounts["latency"] {
    const perPhase = phases.map((phase) =>
      buckets.subarray(bucketCell(index, phase), bucketCell(index, phase) + stepLatencyBoundsMs.length + 1),
    );
    const sums = phases.map((phase) => seconds[index * phases.length + phaseNumber(phase)] ?? 0);
    return {
      sumMs: 1000 * sums.reduce((sum, one) => sum + one, 0),
      buckets: Array.from({ length: stepLatencyBoundsMs.length + 1 }, (_, at) => perPhase.reduce((sum, one) => sum + (one[at] ?? 0), 0)),
    };
  }

  function countOf(index: number, phase: StepPhase, outcome: StepOutcome): number {
    return counts[countCell(index, phase, outcome)] ?? 0;
  }

  function makeRoom(steps: number): void {
    if (steps * countCells <= counts.length) return;
    const room = Math.max(steps, (2 * counts.length) / countCells);
    counts = enlarged(counts, room * countCells);
    buckets = enlarged(buckets, room * bucketCells);
    seconds = enlarged(seconds, room * phases.length);
  }
}

interface Slot {
  readonly index: number;
  readonly key: string;
  readonly labels: StepLabels;
  readonly since: number;
  holders: number;
}

const phases: readonly StepPhase[] = ["request", "response"];
const outcomes: readonly StepOutcome[] = ["ran", "skipped", "replied", "failed", "timed-out", "overrun", "refused"];

const nobody: StepLabels = { chain: "", step: "", policy: "" };

/** Upper bounds of the buckets of durations, included, milliseconds. */
export const stepLatencyBoundsMs: readonly number[] = [
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
];
const bounds: readonly number[] = stepLatencyBoundsMs.map((milliseconds) => milliseconds / 1000);

const countCells = phases.length * outcomes.length;
const bucketCells = phases.length * (stepLatencyBoundsMs.length + 1);

function countCell(index: number, phase: StepPhase, outcome: StepOutcome): number {
  return index * countCells + phaseNumber(phase) * outcomes.length + outcomeNumber(outcome);
}

/** Of the phase's first bucket. */
function bucketCell(index: number, phase: StepPhase): number {
  return index * bucketCells + phaseNumber(phase) * (stepLatencyBoundsMs.length + 1);
}

function phaseNumber(phase: StepPhase): number {
  return phase === "request" ? 0 : 1;
}

/** The place in `outcomes`; searching there would take twice the time. */
function outcomeNumber(outcome: StepOutcome): number {
  switch (outcome) {
    case "ran":
      return 0;
    case "skipped":
      return 1;
    case "replied":
      return 2;
    case "failed":
      return 3;
    case "timed-out":
      return 4;
    case "overrun":
      return 5;
    case "refused":
      return 6;
    default:
      return outcome satisfies never;
  }
}

function enlarged(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(array);
  return larger;
}
