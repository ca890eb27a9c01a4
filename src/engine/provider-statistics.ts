import type { Generation } from "../generations/generation.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import { type StepCounters, stepLatencyBoundsMs } from "../observe/step-counters.ts";
import type { KeptGeneration } from "../providers/kept-generations.ts";
import type { ChainStatistics, GenerationStatistics, ProviderStatistics, StepStatistics } from "../providers/statistics.ts";
import type { BoundStep, Chain } from "../worker/chain.ts";

export interface StatisticsSources {
  readonly generations: GenerationHolder;
  readonly counters: StepCounters;
  readonly delivered: ProviderStatistics["delivered"];
  readonly kept: readonly KeptGeneration[];
}

/** About 1.5 MB of JSON: it must fit into a gRPC message of 4 MiB, the usual limit. */
const stepsMax = 5_000;

/** Undefined before a generation is in use. */
export function providerStatistics(provider: string, sources: StatisticsSources): ProviderStatistics | undefined {
  const current = sources.generations.current();
  if (current === undefined) return undefined;
  const delivered = chainsOf(provider, current);
  const told = fitting(delivered);
  return {
    provider,
    generation: current.number,
    delivered: sources.delivered,
    generations: sources.kept.flatMap((one) => generationStatistics(provider, one, sources.generations)).toReversed(),
    chains: told.map((chain) => chainStatistics(chain, sources.counters)),
    latencyBoundsMs: stepLatencyBoundsMs,
    omittedChains: delivered.length - told.length,
  };
}

/** The definitions that count: not those that another provider's take the place of. */
function chainsOf(provider: string, { config, chains }: Generation): readonly Chain[] {
  return [...chains.values()]
    .filter(({ name }) => config.chains.get(name)?.provider === provider)
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** As many as there is room for. A chain takes the room of a step, so that empty ones have a bound too. */
function fitting(chains: readonly Chain[]): readonly Chain[] {
  let room = stepsMax;
  const end = chains.findIndex(({ steps }) => {
    room -= Math.max(1, steps.length);
    return room < 0;
  });
  return end === -1 ? chains : chains.slice(0, end);
}

function generationStatistics(provider: string, kept: KeptGeneration, generations: GenerationHolder): readonly GenerationStatistics[] {
  const { generation: number, hash, since, providers } = kept;
  const version = providers.find(({ name }) => name === provider)?.version ?? null;
  const exchanges = generations.exchanges(number);
  return exchanges === undefined ? [] : [{ number, hash, since: timeText(since), version, exchanges }];
}

function chainStatistics({ name, counter, steps }: Chain, counters: StepCounters): ChainStatistics {
  const { exchanges, since } = counter;
  return { chain: name, since: timeText(since), exchanges, steps: steps.map((step) => stepStatistics(step, counters)) };
}

function stepStatistics({ counter }: BoundStep, counters: StepCounters): StepStatistics {
  const { chain: _, since, ...counts } = counters.read(counter);
  return { ...counts, since: timeText(since) };
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
