/**
 * The calls that policies make to others: how many, how they ended, how long they took. The keys are the policies' own words and there might be
 * any number of them, so only the first ones of each policy get a name.
 */
import type { HistogramSeries, MetricFamily, Sample } from "./metrics.ts";

/** `ok` below status 400. `failed`: there was no answer. `aborted`: whoever called did not want it any more, because of a deadline for example. */
export type CalloutOutcome = "ok" | "status-4xx" | "status-5xx" | "failed" | "aborted";

export interface CalloutCounters {
  /** @param policy `policy@version`, of which a process has only so many */
  count(policy: string, key: string, outcome: CalloutOutcome, milliseconds: number): void;
  families(): readonly MetricFamily[];
}

/** Keys of one policy that have series of their own; later ones share that of `other`. */
export const calloutKeysMax = 32;

export function createCalloutCounters(): CalloutCounters {
  const byPolicy = new Map<string, Map<string, Calls>>();
  return {
    count(policy, key, outcome, milliseconds) {
      const byKey = byPolicy.get(policy) ?? new Map<string, Calls>();
      byPolicy.set(policy, byKey);
      const shown = byKey.has(key) || byKey.size < calloutKeysMax ? key : "other";
      const calls = byKey.get(shown) ?? newCalls();
      byKey.set(shown, calls);
      calls.outcomes[outcome] += 1;
      calls.sumMs += milliseconds;
      const bucket = boundsMs.findIndex((bound) => milliseconds <= bound);
      const at = bucket === -1 ? boundsMs.length : bucket;
      calls.buckets[at] = (calls.buckets[at] ?? 0) + 1;
    },
    families() {
      const samples: Sample[] = [];
      const series: HistogramSeries[] = [];
      for (const [policy, byKey] of byPolicy) {
        for (const [key, { outcomes, buckets, sumMs }] of byKey) {
          for (const [outcome, value] of Object.entries(outcomes)) samples.push({ labels: { policy, key, outcome }, value });
          series.push({ labels: { policy, key }, buckets, sum: sumMs / 1000 });
        }
      }
      return [
        { name: "policy_engine_callouts_total", help: "Calls that policies made to others, by how they ended.", type: "counter", samples },
        { name: "policy_engine_callout_duration_seconds", help: "How long those calls took.", type: "histogram", bounds, series },
      ];
    },
  };
}

interface Calls {
  readonly outcomes: Record<CalloutOutcome, number>;
  readonly buckets: number[];
  sumMs: number;
}

const boundsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
const bounds = boundsMs.map((milliseconds) => milliseconds / 1000);

function newCalls(): Calls {
  return {
    outcomes: { ok: 0, "status-4xx": 0, "status-5xx": 0, failed: 0, aborted: 0 },
    buckets: Array.from({ length: boundsMs.length + 1 }, () => 0),
    sumMs: 0,
  };
}
