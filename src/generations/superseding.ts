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

export interface Superseding {
  /**
   * What it comes to, or `superseded` when the signal has fired and it has had its time; `dropped` is then told what it comes to in the end.
   */
  unlessSuperseded<Result>(
    preparing: Promise<Result>,
    superseded: AbortSignal,
    dropped: (result: Result) => void,
  ): Promise<Result | "superseded">;
}

/** One preparation at a time, besides those that were given up. */
export function createSuperseding(startTimer: (milliseconds: number, expired: () => void) => () => void): Superseding {
  let underWay = 0;
  let inARow = 0;

  return {
    async unlessSuperseded(preparing, superseded, dropped) {
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
        if (result === "superseded") void drop(preparing, dropped);
        return result;
      } finally {
        stopTimer();
        superseded.removeEventListener("abort", giveUp);
      }
    },
  };

  async function drop<Result>(preparing: Promise<Result>, dropped: (result: Result) => void): Promise<void> {
    underWay += 1;
    dropped(
      await preparing.finally(() => {
        underWay -= 1;
      }),
    );
  }
}
