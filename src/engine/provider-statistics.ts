import type { CheckedConfig } from "../config/types.ts";
import type { Generation } from "../generations/generation.ts";
import { type StepCounters, stepLatencyBoundsMs } from "../observe/step-counters.ts";
import type { KeptGeneration } from "../providers/kept-generations.ts";
import type { ChainStatistics, GenerationStatistics, ProviderStatistics, StepStatistics } from "../providers/statistics.ts";
import type { BoundStep, Chain } from "../worker/chain.ts";

export interface StatisticsSources {
  /** The generation in use. */
  readonly current: Pick<Generation, "number" | "config">;
  /** What a chain of it has done. */
  readonly chain: (name: string) => ChainStatistics | undefined;
  /** How many exchanges a generation has had; undefined when nobody knows any more. */
  readonly exchanges: (generation: number) => number | undefined;
  readonly delivered: ProviderStatistics["delivered"];
  readonly kept: readonly KeptGeneration[];
}

/** About 1.5 MB of JSON: it must fit into a gRPC message of 4 MiB, the usual limit. */
const stepsMax = 5_000;

export function providerStatistics(provider: string, sources: StatisticsSources): ProviderStatistics {
  const { current, delivered, kept } = sources;
  const chains = chainsOf(provider, current.config);
  const told = fitting(chains);
  return {
    provider,
    generation: current.number,
    delivered,
    generations: kept.flatMap((one) => generationStatistics(provider, one, sources.exchanges)).toReversed(),
    chains: told.flatMap(({ name }) => sources.chain(name) ?? []),
    latencyBoundsMs: stepLatencyBoundsMs,
    omittedChains: chains.length - told.length,
  };
}

/** What a chain has done in this process. */
export function chainStatistics({ name, counter, steps }: Chain, counters: StepCounters): ChainStatistics {
  const { exchanges, since } = counter;
  return { chain: name, since: timeText(since), exchanges, steps: steps.map((step) => stepStatistics(step, counters)) };
}

type DeliveredChain = Pick<Chain, "name"> & { readonly steps: readonly unknown[] };

/** The definitions that count: not those that another provider's take the place of. */
function chainsOf(provider: string, { chains }: CheckedConfig): readonly DeliveredChain[] {
  return [...chains.values()].filter((chain) => chain.provider === provider).toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** As many as there is room for. A chain takes the room of a step, so that empty ones have a bound too. */
function fitting(chains: readonly DeliveredChain[]): readonly DeliveredChain[] {
  let room = stepsMax;
  const end = chains.findIndex(({ steps }) => {
    room -= Math.max(1, steps.length);
    return room < 0;
  });
  return end === -1 ? chains : chains.slice(0, end);
}

function generationStatistics(
  provider: string,
  kept: KeptGeneration,
  exchangesOf: StatisticsSources["exchanges"],
): readonly GenerationStatistics[] {
  const { generation: number, hash, since, providers } = kept;
  const version = providers.find(({ name }) => name === provider)?.version ?? null;
  const exchanges = exchangesOf(number);
  return exchanges === undefined ? [] : [{ number, hash, since: timeText(since), version, exchanges }];
}

function stepStatistics({ counter }: BoundStep, counters: StepCounters): StepStatistics {
  const { chain: _, since, ...counts } = counters.read(counter);
  return { ...counts, since: timeText(since) };
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
