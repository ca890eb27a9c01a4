import type { MetricFamily } from "./metrics.ts";

/** The engine's own refusals of exchanges, by the code of the failure. */
export interface FailureCounters {
  /** Whatever is not one of the codes is not counted. */
  count(code: string): void;
  families(): readonly MetricFamily[];
}

/** @param codes all there are: each has a series from the start, so that a first failure is seen as a rise from 0 */
export function createFailureCounters(codes: readonly string[]): FailureCounters {
  const counts = new Map(codes.map((code) => [code, 0]));
  return {
    count(code) {
      const known = counts.get(code);
      if (known !== undefined) counts.set(code, known + 1);
    },
    families() {
      const samples = [...counts].map(([code, value]) => ({ labels: { code }, value }));
      return [{ name: "policy_engine_failures_total", help: "Exchanges that the engine refused, by why.", type: "counter", samples }];
    },
  };
}
