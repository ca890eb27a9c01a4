import type { MetricFamily } from "./metrics.ts";
import type { StepLabels } from "./step-counters.ts";

/** Counters that policies make for themselves, gone with the instance that made them. */
export interface PolicyCounterRegistry {
  create(step: StepLabels, name: string, help: string): { add(count: number): void; close(): void };
  families(): readonly MetricFamily[];
}

export function createPolicyCounters(): PolicyCounterRegistry {
  const counters = new Set<{ readonly step: StepLabels; readonly name: string; readonly help: string; value: number }>();
  return {
    create(step, name, help) {
      const counter = { step, name, help, value: 0 };
      counters.add(counter);
      return {
        add(count) {
          if (!(count >= 0)) throw new RangeError("a counter only grows");
          counter.value += count;
        },
        close: () => counters.delete(counter),
      };
    },
    families: () =>
      [...counters].map(({ step: { chain, step, policy }, name, help, value }) => ({
        name: `policy_engine_policy_${name}_total`,
        help,
        type: "counter" as const,
        samples: [{ labels: { chain, step, policy }, value }],
      })),
  };
}
