import type { MetricFamily } from "./metrics.ts";
import type { StepLabels } from "./step-counters.ts";

/** Counters that policies make for themselves. */
export interface PolicyCounterRegistry {
  /**
   * A counter of one name and step is the same one as long as anybody holds it: an instance with new parameters goes on counting. `add`
   * throws a RangeError on a count that is negative or no finite number.
   */
  create(step: StepLabels, name: string, help: string): PolicyCounter;
  families(): readonly MetricFamily[];
}

export interface PolicyCounter {
  add(count: number): void;
  close(): void;
}

export function createPolicyCounters(): PolicyCounterRegistry {
  const counters = new Map<string, HeldCounter>();
  return {
    create({ chain, step, policy }, name, help) {
      const key = JSON.stringify([name, chain, step, policy]);
      const counter = counters.get(key) ?? { name, help, labels: { chain, step, policy }, value: 0, holders: 0 };
      counters.set(key, counter);
      counter.holders += 1;
      return {
        add(count) {
          if (!(count >= 0 && count < Number.POSITIVE_INFINITY)) throw new RangeError("a counter only grows");
          counter.value += count;
        },
        close() {
          counter.holders -= 1;
          if (counter.holders === 0) counters.delete(key);
        },
      };
    },
    families: () =>
      [...counters.values()].map(({ name, help, labels, value }) => ({
        name: `policy_engine_policy_${name}_total`,
        help,
        type: "counter" as const,
        samples: [{ labels, value }],
      })),
  };
}

interface HeldCounter {
  readonly name: string;
  readonly help: string;
  readonly labels: { readonly chain: string; readonly step: string; readonly policy: string };
  value: number;
  holders: number;
}
