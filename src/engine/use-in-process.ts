import { fingerprint } from "../generations/fingerprint.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import { type PrepareEnvironment, prepare } from "../generations/prepare.ts";
import type { Preparer } from "../generations/prepare-unless-superseded.ts";
import type { StepCounters } from "../observe/step-counters.ts";
import type { ChainStatistics } from "../providers/statistics.ts";
import type { Use } from "./configuration.ts";
import { chainStatistics, providerStatistics } from "./provider-statistics.ts";
import { createReloader, type ReloadTarget } from "./reloader.ts";

export interface InProcess {
  readonly generations: GenerationHolder;
  readonly environment: PrepareEnvironment;
  /** With the same environment. */
  readonly preparer: Preparer;
  /** Those that the steps count on. */
  readonly counters: StepCounters;
}

/** The process that has the configuration serves by it as well. */
export function useInProcess(parts: InProcess): (before: number) => Use {
  const { generations, counters } = parts;
  return (before) => ({
    generations,
    reloader: createReloader(reloadTarget(parts), before),
    statistics(provider, delivered, kept) {
      const current = generations.current();
      if (current === undefined) return undefined;
      const chain = (name: string): ChainStatistics | undefined => {
        const bound = current.chains.get(name);
        return bound && chainStatistics(bound, counters);
      };
      return providerStatistics(provider, { current, chain, exchanges: generations.exchanges, delivered, kept });
    },
    close: generations.close,
  });
}

function reloadTarget({ generations, environment, preparer }: InProcess): ReloadTarget {
  return {
    async judge(documents, superseded) {
      const preparing = superseded === undefined ? prepare(documents, environment) : preparer.prepare(documents, superseded);
      const result = await preparing;
      if (result === "superseded" || "problems" in result) return result;
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
