import { setTimeout as sleep } from "node:timers/promises";

/** Collects what a callback is given and lets a test wait for it, with a bound that only a broken engine reaches. */
export interface Recorder<Value> {
  readonly values: readonly Value[];
  readonly record: (value: Value) => void;
  /** Resolves with the first value, from `from` on, that satisfies the condition. */
  until(what: string, condition: (value: Value) => boolean, from?: number): Promise<Value>;
}

export function recorder<Value>(): Recorder<Value> {
  const values: Value[] = [];
  return {
    values,
    record: (value) => {
      values.push(value);
    },
    async until(what, condition, from = 0) {
      await eventually(what, () => values.slice(from).some(condition));
      const found = values.slice(from).find(condition);
      if (found === undefined) throw new Error(`lost: ${what}`);
      return found;
    },
  };
}

/** Waits until the condition holds, at most 20 s. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`did not happen within 20 s: ${what}`);
    await sleep(5);
  }
}
