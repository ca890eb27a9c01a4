/** How often something may be done on the demand of strangers: some times at once, and again one by one as time passes. */
export interface Budget {
  /** Whether it may be done now; if so, it counts as done. */
  take(): boolean;
}

export interface BudgetLimits {
  readonly burst: number;
  /** Milliseconds until one more is there. */
  readonly refillMs: number;
}

/** @param now milliseconds; may jump */
export function createBudget({ burst, refillMs }: BudgetLimits, now: () => number): Budget {
  let left = burst;
  let countedAt = now();
  return {
    take() {
      const earned = Math.floor((now() - countedAt) / refillMs);
      if (earned > 0) {
        left = Math.min(burst, left + earned);
        countedAt += earned * refillMs;
      }
      // The clock was set back: time starts anew.
      if (earned < 0) countedAt = now();
      if (left === 0) return false;
      left -= 1;
      return true;
    },
  };
}
