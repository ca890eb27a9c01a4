/** The two pieces that bound what strangers can cause, whatever they do and whatever the clock does. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRecentlyUnknown } from "../../../policies/lib/key-sets/recently-unknown.ts";
import { createBudget } from "../../../policies/lib/key-sets/refresh-budget.ts";

const runs = { seed: 7, numRuns: 300 };

describe("the budget of refreshes", () => {
  test("never gives more than the burst and what time has earned", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 25_000 }), { maxLength: 200 }), (pauses) => {
        let now = 1_000_000;
        const budget = createBudget({ burst: 5, refillMs: 10_000 }, () => now);
        let taken = 0;
        let passed = 0;
        for (const pause of pauses) {
          now += pause;
          passed += pause;
          if (budget.take()) taken += 1;
          expect(taken).toBeLessThanOrEqual(5 + Math.floor(passed / 10_000));
        }
      }),
      runs,
    );
  });

  test("gives all that time has earned, up to the burst", () => {
    let now = 0;
    const budget = createBudget({ burst: 2, refillMs: 10 }, () => now);
    const take = (times: number) => Array.from({ length: times }, () => budget.take());
    expect(take(3)).toEqual([true, true, false]);
    now = 9;
    expect(take(1)).toEqual([false]);
    now = 10;
    expect(take(2)).toEqual([true, false]);
    now = 1_000;
    expect(take(3)).toEqual([true, true, false]);
  });

  test("a clock that is set back neither gives more nor stops it for good", () => {
    let now = 1_000_000;
    const budget = createBudget({ burst: 1, refillMs: 10 }, () => now);
    expect(budget.take()).toBe(true);
    now = 0;
    expect(budget.take()).toBe(false);
    now = 10;
    expect(budget.take()).toBe(true);
    expect(budget.take()).toBe(false);
  });
});

describe("keys that were unknown a moment ago", () => {
  const key = (kid: number) => ({ kid: `k${kid}`, algorithm: "ES256" });

  test("never more than its bound, never longer than its time, and the latest are always there", () => {
    const action = fc.record({ kid: fc.nat({ max: 12 }), pauseMs: fc.nat({ max: 20 }) });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
        let now = 0;
        const unknown = createRecentlyUnknown({ entriesMax: 5, keptMs: 50 }, () => now);
        const added = new Map<number, number>();
        for (const { kid, pauseMs } of actions) {
          now += pauseMs;
          unknown.add(key(kid));
          added.delete(kid);
          added.set(kid, now);
          const known = [...added.keys()].filter((one) => unknown.has(key(one)));
          expect(known.length).toBeLessThanOrEqual(5);
          const latest = [...added].slice(-5).filter(([, at]) => now - at < 50);
          expect(known).toEqual(latest.map(([one]) => one));
        }
      }),
      runs,
    );
  });

  test("the kid, its absence and the algorithm tell them apart", () => {
    const unknown = createRecentlyUnknown({ entriesMax: 5, keptMs: 50 }, () => 0);
    unknown.add({ kid: "null", algorithm: "ES256" });
    expect(unknown.has({ kid: "null", algorithm: "ES256" })).toBe(true);
    expect(unknown.has({ kid: undefined, algorithm: "ES256" })).toBe(false);
    expect(unknown.has({ kid: "null", algorithm: "RS256" })).toBe(false);
  });

  test("a clock that is set back does not keep one for long", () => {
    let now = 1_000_000;
    const unknown = createRecentlyUnknown({ entriesMax: 5, keptMs: 50 }, () => now);
    unknown.add(key(1));
    now = 0;
    expect(unknown.has(key(1))).toBe(false);
  });
});
