/** An issuer that answers as a test says, and a context whose clock the test moves. */
import type { SharedContext } from "@envoy-policy-engine/sdk";
import type { KeySetContext } from "../../../policies/lib/key-sets/key-set.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";
import { type Json, type TestKey, testKey } from "../jwt/signing.ts";

export interface TestIssuer {
  readonly clock: TestClock;
  readonly context: KeySetContext;
  /** When it was asked, in milliseconds since the start. */
  readonly asked: readonly number[];
  /** How often it has come to an end with what it was answered: then it says when it will ask again. */
  readonly ended: number;
  /** What was logged, without its facts. */
  readonly logged: readonly string[];
  /** Publishes these keys from now on. */
  publish(...keys: readonly TestKey[]): void;
  /** Answers in this way from now on. */
  answer(how: () => Promise<Response>): void;
}

/** How long a request waits for an issuer. */
const requestWaitMs = 750;

/** @param random what `context.random` returns; not 0.5, which makes the first back-off as long as a request waits */
export function testIssuer(random = 0.6): TestIssuer {
  const start = Date.UTC(2026, 0, 1);
  const clock = createTestClock(start);
  const asked: number[] = [];
  const logged: string[] = [];
  let ended = 0;
  let respond = (): Promise<Response> => Promise.reject(new Error("nobody is there"));
  const note = (_facts: Json, message: string): void => void logged.push(message);
  const context: SharedContext = {
    fetch: () => {
      asked.push(clock.now() - start);
      return respond();
    },
    file: () => Promise.reject(new Error("no files")),
    now: clock.now,
    random: () => random,
    every: () => {},
    after: (milliseconds, task) => {
      if (milliseconds !== requestWaitMs) ended += 1;
      return clock.startTimer(milliseconds, () => void task());
    },
    log: { debug: note, info: note, warn: note, error: note },
  };
  return {
    clock,
    asked,
    logged,
    context: { ...context, shared: (_key, make) => make(context) },
    get ended() {
      return ended;
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
