/** What steps and chains of several processes have done, as the numbers of one engine. */
import type { ChainStatistics, StepStatistics } from "../providers/statistics.ts";
import { type Guard, list, number, shape, text } from "./shape.ts";

/** What a process has counted of its generation, as of now. */
export interface GenerationCounts {
  readonly chains: readonly ChainStatistics[];
  /** Exchanges of the last generations. */
  readonly generations: readonly { readonly number: number; readonly exchanges: number }[];
}

export const noCounts: GenerationCounts = { chains: [], generations: [] };

export function sumCounts(all: readonly GenerationCounts[]): GenerationCounts {
  const chains = new Map<string, ChainStatistics>();
  const generations = new Map<number, number>();
  for (const counts of all) {
    for (const chain of counts.chains) {
      const known = chains.get(chain.chain);
      chains.set(chain.chain, known === undefined ? chain : addChains(known, chain));
    }
    for (const { number: one, exchanges } of counts.generations) generations.set(one, (generations.get(one) ?? 0) + exchanges);
  }
  return { chains: [...chains.values()], generations: [...generations].map(([one, exchanges]) => ({ number: one, exchanges })) };
}

export const areCounts: Guard<GenerationCounts> = shape<GenerationCounts>({
  chains: list(
    shape<ChainStatistics>({
      chain: text,
      since: text,
      exchanges: number,
      steps: list(
        shape<StepStatistics>({
          step: text,
          policy: text,
          since: text,
          runs: number,
          skips: number,
          replies: number,
          errors: number,
          timeouts: number,
          refusals: number,
          latency: shape<StepStatistics["latency"]>({ sumMs: number, buckets: list(number) }),
        }),
      ),
    }),
  ),
  generations: list(shape<GenerationCounts["generations"][number]>({ number, exchanges: number })),
});

function addChains(one: ChainStatistics, other: ChainStatistics): ChainStatistics {
  const steps = new Map(one.steps.map((step) => [keyOf(step), step]));
  for (const step of other.steps) {
    const known = steps.get(keyOf(step));
    steps.set(keyOf(step), known === undefined ? step : addSteps(known, step));
  }
  return { chain: one.chain, since: earlier(one, other), exchanges: one.exchanges + other.exchanges, steps: [...steps.values()] };
}

const keyOf = ({ step, policy }: StepStatistics): string => JSON.stringify([step, policy]);

function addSteps(one: StepStatistics, other: StepStatistics): StepStatistics {
  return {
    step: one.step,
    policy: one.policy,
    since: earlier(one, other),
    runs: one.runs + other.runs,
    skips: one.skips + other.skips,
    replies: one.replies + other.replies,
    errors: one.errors + other.errors,
    timeouts: one.timeouts + other.timeouts,
    refusals: one.refusals + other.refusals,
    latency: {
      sumMs: one.latency.sumMs + other.latency.sumMs,
      buckets: one.latency.buckets.map((count, at) => count + (other.latency.buckets[at] ?? 0)),
    },
  };
}

/** RFC 3339 texts of one form are in the order of their times. */
function earlier(one: { readonly since: string }, other: { readonly since: string }): string {
  return one.since < other.since ? one.since : other.since;
}
