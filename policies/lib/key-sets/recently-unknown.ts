import type { WantedKey } from "./key-table.ts";

/** Keys that the issuer did not have a moment ago. */
export interface RecentlyUnknown {
  has(wanted: WantedKey): boolean;
  add(wanted: WantedKey): void;
}

export interface RecentlyUnknownLimits {
  readonly entriesMax: number;
  readonly keptMs: number;
}

/** When it is full the oldest is forgotten. `now` in milliseconds. */
export function createRecentlyUnknown({ entriesMax, keptMs }: RecentlyUnknownLimits, now: () => number): RecentlyUnknown {
  /** To the moment when it is forgotten; in the order of those moments. */
  const until = new Map<string, number>();
  return {
    has(wanted) {
      const key = keyOf(wanted);
      const end = until.get(key);
      if (end === undefined) return false;
      // More than a whole period away: the clock was set back.
      if (now() < end && end - now() <= keptMs) return true;
      until.delete(key);
      return false;
    },
    add(wanted) {
      const key = keyOf(wanted);
      until.delete(key);
      until.set(key, now() + keptMs);
      if (until.size <= entriesMax) return;
      const [oldest] = until.keys();
      if (oldest !== undefined) until.delete(oldest);
    },
  };
}

const keyOf = ({ kid, algorithm }: WantedKey): string => JSON.stringify([kid ?? null, algorithm]);
