import type { SourceDocument } from "../config/types.ts";
import type { Problem } from "../errors.ts";
import { type PrepareEnvironment, type PrepareResult, prepare } from "./prepare.ts";
import { createSuperseding } from "./superseding.ts";

export interface Preparer {
  /** As `prepare`; `superseded` when the signal has fired and the policies' `create` had their time. What they come to is then closed. */
  prepare(documents: readonly SourceDocument[], superseded: AbortSignal): Promise<PrepareResult | "superseded">;
}

export interface PreparerHost {
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
  /** Told what was wrong with a configuration that was given up: the verdict of nobody, but the reason for the wait. */
  readonly givenUp: (problems: readonly Problem[]) => void;
}

/** Those that were given up run into the deadline of `create`, and take nothing into use. */
export function createPreparer(environment: PrepareEnvironment, { startTimer, givenUp }: PreparerHost): Preparer {
  const { unlessSuperseded } = createSuperseding(startTimer);
  return {
    prepare: (documents, superseded) =>
      unlessSuperseded(prepare(documents, environment), superseded, (result) => {
        if ("problems" in result) givenUp(result.problems);
        else result.prepared.release();
      }),
  };
}
