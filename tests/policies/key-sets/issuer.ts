/** An issuer that answers as a test says, and a context whose clock the test moves. */
import type { KeySetContext, KeySetEvents } from "../../../policies/lib/key-sets/key-set.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";
import { type Json, type TestKey, testKey } from "../jwt/signing.ts";

export interface TestIssuer {
  readonly clock: TestClock;
  readonly context: KeySetContext;
  readonly events: KeySetEvents;
  /** When it was asked, in milliseconds since the start. */
  readonly asked: readonly number[];
  readonly counts: { refreshed: number; refreshFailed: number; keyMissed: number };
  /** What was logged, without its facts. */
  readonly logged: readonly string[];
  /** Publishes these keys from now on. */
  publish(...keys: readonly TestKey[]): void;
  /** Answers in this way from now on. */
  answer(how: () => Promise<Response>): void;
}

/** @param random what `context.random` returns */
export function testIssuer(random = 0.5): TestIssuer {
  const start = Date.UTC(2026, 0, 1);
  const clock = createTestClock(start);
  const asked: number[] = [];
  const logged: string[] = [];
  const counts = { refreshed: 0, refreshFailed: 0, keyMissed: 0 };
  let respond = (): Promise<Response> => Promise.reject(new Error("nobody is there"));
  const note = (_facts: Json, message: string): void => void logged.push(message);
  return {
    clock,
    asked,
    counts,
    logged,
    events: {
      refreshed: () => void counts.refreshed++,
      refreshFailed: () => void counts.refreshFailed++,
      keyMissed: () => void counts.keyMissed++,
    },
    context: {
      fetch: () => {
        asked.push(clock.now() - start);
        return respond();
      },
      file: () => Promise.reject(new Error("no files")),
      now: clock.now,
      random: () => random,
      after: clock.startTimer,
      log: { debug: note, info: note, warn: note, error: note },
    },
    publish: (...keys) => {
      respond = async () => Response.json({ keys: keys.map(({ jwk }) => jwk) });
    },
    answer: (how) => {
      respond = how;
    },
  };
}

export const keyOne = testKey("one", "ES256");
export const keyTwo = testKey("two", "ES256");
export const wanted = ({ kid, algorithm }: TestKey) => ({ kid, algorithm });
