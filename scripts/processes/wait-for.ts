import { setTimeout as sleep } from "node:timers/promises";

export interface Wait {
  /** What is waited for, for the message: `Envoy to be ready`. */
  readonly what: string;
  readonly timeoutMs: number;
  /** What else helps to understand why it did not come. */
  readonly explain?: () => string;
}

const pollMs = 20;

/** Polls until `probe` gives a value that is not undefined. Rejects after `timeoutMs`, or with what `probe` throws. */
export async function waitFor<Value>(wait: Wait, probe: () => Value | undefined | Promise<Value | undefined>): Promise<Value> {
  const deadline = performance.now() + wait.timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) {
      throw new Error(`waited ${wait.timeoutMs} ms in vain for ${wait.what}${wait.explain === undefined ? "" : `: ${wait.explain()}`}`);
    }
    await sleep(pollMs);
  }
}
