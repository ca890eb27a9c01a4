import type { GenerationHolder } from "../generations/holder.ts";
import type { PrepareEnvironment } from "../generations/prepare.ts";
import type { StepCounters } from "../observe/step-counters.ts";
import type { Use } from "./configuration.ts";
import { providerStatistics } from "./provider-statistics.ts";
import { createReloader } from "./reloader.ts";

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
    reloader: createReloader(environment, generations, before),
    statistics: (provider, kept) => providerStatistics(provider, { generations, counters, kept }),
    close: generations.close,
  });
}
