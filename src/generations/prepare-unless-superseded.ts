import type { SourceDocument } from "../config/types.ts";
import type { Problem } from "../errors.ts";
import { type PrepareEnvironment, type PrepareResult, prepare } from "./prepare.ts";

/**
 * For so long a preparation goes on whatever comes, milliseconds: policies are created in much less, and configurations may come faster than
 * that.
 */
export const undisturbedMs = 500;

/**
 * How many preparations may be under way that were given up, and how many may be given up in a row: so a `create` that is slow, but not
 * hanging, comes to its end however fast configurations follow each other.
 */
export const givenUpMax = 4;

export interface Preparer {
  /** As `prepare`; `superseded` when the signal has fired and the policies' `create` had their time. What they come to is then closed. */
  prepare(documents: readonly SourceDocument[], superseded: AbortSignal): Promise<PrepareResult | "superseded">;
}

export interface PreparerHost {
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
  /** Told what was wrong with a configuration that was given up: the verdict of nobody, but the reason for the wait. */
  readonly givenUp: (problems: readonly Problem[]) => void;
}

/** One preparation at a time, besides those that were given up: these run into the deadline of `create`, and take nothing into use. */
export function createPreparer(environment: PrepareEnvironment, { startTimer, givenUp }: PreparerHost): Preparer {
  let underWay = 0;
  let inARow = 0;

  return {
    async prepare(documents, superseded) {
      const preparing = prepare(documents, environment);
      const disturbed = Promise.withResolvers<"superseded">();
      const giveUp = (): void => {
        if (underWay < givenUpMax && inARow < givenUpMax) disturbed.resolve("superseded");
      };
      const stopTimer = startTimer(undisturbedMs, () => {
        if (superseded.aborted) giveUp();
        else superseded.addEventListener("abort", giveUp);
      });
      try {
        const result = await Promise.race([preparing, disturbed.promise]);
        inARow = result === "superseded" ? inARow + 1 : 0;
        if (result === "superseded") void drop(preparing);
        return result;
      } finally {
        stopTimer();
        superseded.removeEventListener("abort", giveUp);
      }
    },
  };

  async function drop(preparing: Promise<PrepareResult>): Promise<void> {
    underWay += 1;
    const result = await preparing.finally(() => {
      underWay -= 1;
    });
    if ("problems" in result) givenUp(result.problems);
    else result.prepared.release();
  }
}
