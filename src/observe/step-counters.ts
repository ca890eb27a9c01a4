/**
 * What each step of each chain has done, in typed arrays: counting is adding to a number at an index that was fixed at load. Metrics,
 * statistics for providers and explanations read the same numbers.
 */
import type { MetricFamily, Sample } from "./metrics.ts";

export type StepPhase = "request" | "response";

/** `overrun`: a synchronous handler took longer than its deadline, which cannot cut it short. Counted beside its outcome. */
export type StepOutcome = "ran" | "skipped" | "replied" | "failed" | "timed-out" | "overrun";

export interface StepLabels {
  readonly chain: string;
  readonly step: string;
  /** `policy@version` */
  readonly policy: string;
}

export interface StepCounters {
  /** Reserves zeroed counters for a step. */
  allocate(labels: StepLabels): number;
  /** Gives them back: the step disappears from the metrics. */
  free(index: number): void;
  count(index: number, phase: StepPhase, outcome: StepOutcome): void;
  /** How long a handler took, milliseconds. */
  observe(index: number, phase: StepPhase, milliseconds: number): void;
  read(index: number, phase: StepPhase, outcome: StepOutcome): number;
  families(): readonly MetricFamily[];
}

const phases: readonly StepPhase[] = ["request", "response"];
const outcomes: readonly StepOutcome[] = ["ran", "skipped", "replied", "failed", "timed-out", "overrun"];
/** Upper bounds in seconds; the last bucket, +Inf, has none. */
const bucketBounds: readonly number[] = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const outcomeCells = phases.length * outcomes.length;
const bucketCells = phases.length * (bucketBounds.length + 1);

export function createStepCounters(): StepCounters {
  const labels: (StepLabels | undefined)[] = [];
  const free: number[] = [];
  let counts = new Float64Array(0);
  let buckets = new Float64Array(0);
  let seconds = new Float64Array(0);

  const grow = (capacity: number): void => {
    counts = grown(counts, capacity * outcomeCells);
    buckets = grown(buckets, capacity * bucketCells);
    seconds = grown(seconds, capacity * phases.length);
  };

  const countCell = (index: number, phase: StepPhase, outcome: StepOutcome): number =>
    index * outcomeCells + phases.indexOf(phase) * outcomes.length + outcomes.indexOf(outcome);

  const bucketCell = (index: number, phase: StepPhase, bucket: number): number =>
    index * bucketCells + phases.indexOf(phase) * (bucketBounds.length + 1) + bucket;

  const secondsCell = (index: number, phase: StepPhase): number => index * phases.length + phases.indexOf(phase);

  return {
    allocate(label) {
      const index = free.pop() ?? labels.length;
      labels[index] = label;
      if (counts.length < (index + 1) * outcomeCells) grow(Math.max(16, (index + 1) * 2));
      counts.fill(0, index * outcomeCells, (index + 1) * outcomeCells);
      buckets.fill(0, index * bucketCells, (index + 1) * bucketCells);
      seconds.fill(0, index * phases.length, (index + 1) * phases.length);
      return index;
    },
    free(index) {
      labels[index] = undefined;
      free.push(index);
    },
    count(index, phase, outcome) {
      const cell = countCell(index, phase, outcome);
      counts[cell] = (counts[cell] ?? 0) + 1;
    },
    observe(index, phase, milliseconds) {
      let bucket = 0;
      while (bucket < bucketBounds.length && milliseconds > (bucketBounds[bucket] ?? 0) * 1000) bucket++;
      const cell = bucketCell(index, phase, bucket);
      buckets[cell] = (buckets[cell] ?? 0) + 1;
      const sum = secondsCell(index, phase);
      seconds[sum] = (seconds[sum] ?? 0) + milliseconds / 1000;
    },
    read: (index, phase, outcome) => counts[countCell(index, phase, outcome)] ?? 0,
    families() {
      const runs: Sample[] = [];
      const durations: Sample[] = [];
      for (const [index, label] of labels.entries()) {
        if (label === undefined) continue;
        for (const phase of phases) {
          for (const outcome of outcomes) {
            const value = counts[countCell(index, phase, outcome)] ?? 0;
            if (value > 0) runs.push({ labels: { ...label, phase, outcome }, value });
          }
          let total = 0;
          const cumulative = [...bucketBounds, Number.POSITIVE_INFINITY].map((bound, bucket) => {
            total += buckets[bucketCell(index, phase, bucket)] ?? 0;
            return { suffix: "_bucket", labels: { ...label, phase, le: bound === Number.POSITIVE_INFINITY ? "+Inf" : String(bound) }, value: total };
          });
          if (total === 0) continue;
          durations.push(...cumulative);
          durations.push({ suffix: "_sum", labels: { ...label, phase }, value: seconds[secondsCell(index, phase)] ?? 0 });
          durations.push({ suffix: "_count", labels: { ...label, phase }, value: total });
        }
      }
      return [
        { name: "policy_engine_step_outcomes_total", help: "What steps did, by outcome.", type: "counter", samples: runs },
        { name: "policy_engine_step_duration_seconds", help: "How long a step's handler took.", type: "histogram", samples: durations },
      ];
    },
  };
}

function grown(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(array);
  return larger;
}
