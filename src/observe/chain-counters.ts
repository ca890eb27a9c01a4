import type { MetricFamily } from "./metrics.ts";

/** What a chain counts on: the exchange path adds to it, nothing else does. */
export interface ChainCounter {
  /** Exchanges given to the chain, those refused before its first step included. */
  exchanges: number;
  /** When it began to count, milliseconds since the epoch. */
  readonly since: number;
}

export interface ChainCounters {
  /** The counter of the chain of this name: the same one as long as anybody holds it, over generations. */
  hold(chain: string, now: number): ChainCounter;
  /** Once per `hold`. When nobody holds it, the chain disappears from the metrics. */
  release(chain: string): void;
  families(): readonly MetricFamily[];
}

export function createChainCounters(): ChainCounters {
  const held = new Map<string, { readonly counter: ChainCounter; holders: number }>();
  return {
    hold(chain, now) {
      const known = held.get(chain) ?? { counter: { exchanges: 0, since: now }, holders: 0 };
      known.holders += 1;
      held.set(chain, known);
      return known.counter;
    },
    release(chain) {
      const known = held.get(chain);
      if (known === undefined) return;
      known.holders -= 1;
      if (known.holders === 0) held.delete(chain);
    },
    families() {
      const samples = [...held].map(([chain, { counter }]) => ({ labels: { chain }, value: counter.exchanges }));
      return [{ name: "policy_engine_chain_exchanges_total", help: "Exchanges given to a chain.", type: "counter", samples }];
    },
  };
}
