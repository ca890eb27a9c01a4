/** An issuer that answers as a test says, and a context whose clock the test moves. */
import type { FetchInit, SharedContext } from "@envoy-policy-engine/sdk";
import type { KeySetContext } from "../../../policies/lib/key-sets/key-set.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";
import { type Json, type TestKey, testKey } from "../jwt/signing.ts";

export interface TestIssuer {
  readonly clock: TestClock;
  readonly context: KeySetContext;
  /** When it was asked, in milliseconds since the start. */
  readonly asked: readonly number[];
  /** How many fetches have come to their end, good or bad. */
  readonly ended: number;
  /** With what it was asked the last time. */
  readonly lastInit: FetchInit | undefined;
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
  let ended = 0;
  let lastInit: FetchInit | undefined;
  let respond = (): Promise<Response> => Promise.reject(new Error("nobody is there"));
  const note = (_facts: Json, message: string): void => void logged.push(message);
  const context: SharedContext = {
    fetch: (_key, _url, init) => {
      lastInit = init;
      asked.push(clock.now() - start);
      return respond();
    },
    file: () => Promise.reject(new Error("no files")),
    now: clock.now,
    // Asked for once each time that a fetch has come to its end.
    random: () => {
      ended += 1;
      return random;
    },
    every: () => {},
    after: (milliseconds, task) => clock.startTimer(milliseconds, () => void task()),
    log: { debug: note, info: note, warn: note, error: note },
  };
  return {
    clock,
    asked,
    logged,
    context: { ...context, shared: (_key, make) => make(context) },
    get lastInit() {
      return lastInit;
    },
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
