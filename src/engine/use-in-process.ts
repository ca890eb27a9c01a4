import { fingerprint } from "../generations/fingerprint.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import { type PrepareEnvironment, prepare } from "../generations/prepare.ts";
import type { StepCounters } from "../observe/step-counters.ts";
import type { ChainStatistics } from "../providers/statistics.ts";
import type { Use } from "./configuration.ts";
import { chainStatistics, providerStatistics } from "./provider-statistics.ts";
import { createReloader, type ReloadTarget } from "./reloader.ts";

export interface InProcess {
  readonly generations: GenerationHolder;
  readonly environment: PrepareEnvironment;
  /** Those that the steps count on. */
  readonly counters: StepCounters;
}

/** The process that has the configuration serves by it as well. */
export function useInProcess({ generations, environment, counters }: InProcess): (before: number) => Use {
  return (before) => ({
    generations,
    reloader: createReloader(reloadTarget(generations, environment), before),
    statistics(provider, kept) {
      const current = generations.current();
      if (current === undefined) return undefined;
      const chain = (name: string): ChainStatistics | undefined => {
        const bound = current.chains.get(name);
        return bound && chainStatistics(bound, counters);
      };
      return providerStatistics(provider, { current, chain, exchanges: generations.exchanges, kept });
    },
    close: generations.close,
  });
}

function reloadTarget(generations: GenerationHolder, environment: PrepareEnvironment): ReloadTarget {
  return {
    async judge(documents) {
      const result = await prepare(documents, environment);
      if ("problems" in result) return result;
      const { prepared } = result;
      return {
        fingerprint: fingerprint(prepared.config),
        take: async (number) => generations.commit(prepared, number),
        drop: prepared.release,
      };
    },
    current() {
      const generation = generations.current();
      return generation && { fingerprint: fingerprint(generation.config), number: generation.number };
    },
  };
}
