/** A clock that stands still until it is moved, with the timers that go by it. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  now(): number;
  startTimer(milliseconds: number, expired: () => void): () => void;
  /** Moves on and fires on the way what is due, each at its own time; promises settle between two of them. */
  advance(milliseconds: number): Promise<void>;
  /** How many timers have not fired yet. */
  readonly pending: number;
  /** The time is another one, and no timer has noticed: a machine has slept, or its clock was set. */
  jump(milliseconds: number): void;
}

export function createTestClock(startMs: number): TestClock {
  /** What timers go by, since the start. */
  let passed = 0;
  let wall = startMs;
  const timers = new Set<{ readonly at: number; readonly expired: () => void }>();
  const next = (untilMs: number) => [...timers].filter(({ at }) => at <= untilMs).sort((left, right) => left.at - right.at)[0];
  return {
    now: () => wall + passed,
    startTimer(milliseconds, expired) {
      const timer = { at: passed + milliseconds, expired };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(milliseconds) {
      const until = passed + milliseconds;
      await settled();
      for (let timer = next(until); timer !== undefined; timer = next(until)) {
        timers.delete(timer);
        passed = Math.max(passed, timer.at);
        timer.expired();
        await settled();
      }
      passed = until;
    },
    get pending() {
      return timers.size;
    },
    jump(milliseconds) {
      wall += milliseconds;
    },
  };
}

/** Everything that needs no input from outside has come to its end. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
