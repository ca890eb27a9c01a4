/**
 * Engines behind an Envoy, on the transport under test. `vitest.config.ts` runs each test with an Envoy once for each transport, but for those
 * that it lists: a new one holds on both without saying so.
 */
import { inject } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { type Stage, type StagePlan, startStage } from "../../scripts/processes/start-stage.ts";
import type { TransportKind } from "../../src/transport/create-transport.ts";

declare module "vitest" {
  export interface ProvidedContext {
    readonly transport: TransportKind;
  }
}

export function transportUnderTest(): TransportKind {
  return inject("transport");
}

/** `startStage`, with engines on the transport under test. */
export function startTestStage({ settings = (data) => data, ...plan }: StagePlan = {}): Promise<Stage> {
  return startStage({ ...plan, settings: (data) => settings(replaceAt(data, ["transport"], transportUnderTest())) });
}

/** A share of what random tests try on both transports together: the runs, and where they begin. */
export function shareOfRuns(both: { readonly seed: number; readonly numRuns: number }): {
  readonly seed: number;
  readonly numRuns: number;
} {
  return { seed: transportUnderTest() === "native" ? both.seed + 1 : both.seed, numRuns: Math.ceil(both.numRuns / 2) };
}
