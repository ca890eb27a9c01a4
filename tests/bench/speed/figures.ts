/** What phases come to: ratios of neighbours, and how far they lie apart. */
import type { Phase } from "./measure.ts";

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** A contender between two phases of the reference: the machine drifts, and its neighbours drift with it. */
export interface Sandwich {
  readonly before: Phase;
  readonly phase: Phase;
  readonly after: Phase;
}

/** Undefined of nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((one, other) => one - other);
  const [min] = sorted;
  const max = sorted.at(-1);
  const median = sorted[Math.floor(sorted.length / 2)];
  return min === undefined || max === undefined || median === undefined ? undefined : { min, median, max };
}

/** A figure of the contender to the mean of its neighbours'. */
export function ratioOf({ before, phase, after }: Sandwich, figure: (phase: Phase) => number): number {
  return figure(phase) / ((figure(before) + figure(after)) / 2);
}

/** A figure of the contender above the mean of its neighbours'. */
export function addedOf({ before, phase, after }: Sandwich, figure: (phase: Phase) => number): number {
  return figure(phase) - (figure(before) + figure(after)) / 2;
}
