/** When a preparation is given up for something newer, and what becomes of what it has begun. */
import { describe, expect, test } from "vitest";
import { createPreparer, type Preparer } from "../../src/generations/prepare-unless-superseded.ts";
import { givenUpMax, undisturbedMs } from "../../src/generations/superseding.ts";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import { testCheckEnvironment, testHost } from "../../src/testing/test-engine.ts";
import { createInstancePool, createTimeoutMs } from "../../src/worker/instances.ts";
import { createdPolicies } from "../support/code-policy.ts";
import { createTestClock, settled, type TestClock } from "../support/test-clock.ts";

interface Stage {
  readonly clock: TestClock;
  /** Prepares a configuration with one chain: `quick` is created at once, any other when `create` is called. */
  prepare(name: string, superseded: AbortSignal): Promise<string>;
  /** Lets everything that is being created come to its end. */
  create(): void;
  /** How many instances there are. */
  readonly alive: () => number;
  /** Codes of what was wrong with what was given up. */
  readonly givenUp: readonly string[];
}

function stage(): Stage {
  const clock = createTestClock(0);
  const givenUp: string[] = [];
  let waiting: (() => void)[] = [];
  let alive = 0;
  const policies = createdPolicies({
    quick: () => ({ request: () => undefined }),
    slow: async () => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      alive += 1;
      return {
        request: () => undefined,
        close: () => {
          alive -= 1;
        },
      };
    },
  });
  const host = { ...testHost({ counters: createStepCounters() }, clock.now), startTimer: clock.startTimer };
  const environment = { ...testCheckEnvironment(policies, {}), instances: createInstancePool(host), redact: (text: string) => text };
  const { prepare }: Preparer = createPreparer(environment, {
    startTimer: clock.startTimer,
    givenUp: (problems) => givenUp.push(...problems.map(({ code }) => code)),
  });
  return {
    clock,
    givenUp,
    alive: () => alive,
    create: () => {
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    async prepare(name, superseded) {
      const text = `version: 1\nchains: { ${name}: { steps: [{ policy: ${name === "quick" ? name : "slow"}@1.0.0 }] } }\nroutes: { ${name}: ${name} }\n`;
      const result = await prepare([{ uri: "x.yaml", text }], superseded);
      if (result === "superseded") return result;
      return "prepared" in result ? "prepared" : (result.problems[0]?.code ?? "");
    },
  };
}

const never = new AbortController().signal;
const newer = AbortSignal.abort();

async function outcome(preparing: Promise<string>): Promise<string> {
  await settled();
  return Promise.race([preparing, new Promise<string>((resolve) => setImmediate(resolve, "under way"))]);
}

test("it is given up when something newer is there and its time has passed, and what it has created is closed when it arrives", async () => {
  const { clock, prepare, create, alive } = stage();
  const superseded = new AbortController();
  const preparing = prepare("first", superseded.signal);
  await clock.advance(undisturbedMs);
  expect(await outcome(preparing)).toBe("under way");
  superseded.abort();
  expect(await preparing).toBe("superseded");
  expect(alive()).toBe(0);
  create();
  await settled();
  expect(alive()).toBe(0);
  expect(clock.pending).toBe(0);
});

test("something newer that comes early waits for that time, and takes nothing from what comes to its end in it", async () => {
  const { clock, prepare, create, alive } = stage();
  const preparing = prepare("first", newer);
  await clock.advance(undisturbedMs - 1);
  expect(await outcome(preparing)).toBe("under way");
  create();
  expect(await preparing).toBe("prepared");
  expect(alive()).toBe(1);
  const second = prepare("second", newer);
  await clock.advance(undisturbedMs);
  expect(await second).toBe("superseded");
});

test("with nothing newer it runs into the deadline of `create`", async () => {
  const { clock, prepare, givenUp } = stage();
  const preparing = prepare("first", never);
  await clock.advance(createTimeoutMs);
  expect(await preparing).toBe("policy-create-timeout");
  expect(givenUp).toEqual([]);
});

test("what was wrong with one that was given up is told", async () => {
  const { clock, prepare, givenUp } = stage();
  const preparing = prepare("first", newer);
  await clock.advance(undisturbedMs);
  expect(await preparing).toBe("superseded");
  await clock.advance(createTimeoutMs);
  expect(givenUp).toEqual(["policy-create-timeout"]);
});

test("what was created for one that was given up is shared with the next one that wants it", async () => {
  const { clock, prepare, create, alive } = stage();
  const first = prepare("same", newer);
  await clock.advance(undisturbedMs);
  expect(await first).toBe("superseded");
  const second = prepare("same", never);
  await settled();
  create();
  expect(await second).toBe("prepared");
  await settled();
  expect(alive()).toBe(1);
});

describe("bounds", () => {
  async function giveUp({ prepare, clock }: Stage, count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      const preparing = prepare(`chain-${number}`, newer);
      await clock.advance(undisturbedMs);
      expect(await preparing).toBe("superseded");
    }
  }

  test("so many in a row, then one comes to its end: what is slow is in use some time", async () => {
    const set = stage();
    await giveUp(set, givenUpMax);
    // Nothing is under way any more.
    set.create();
    await settled();
    const preparing = set.prepare("slow", newer);
    await set.clock.advance(undisturbedMs + 100);
    expect(await outcome(preparing)).toBe("under way");
    set.create();
    expect(await preparing).toBe("prepared");
    await giveUp(set, givenUpMax);
  });

  test("so many at once, whatever comes to its end in between", async () => {
    const set = stage();
    await giveUp(set, givenUpMax - 1);
    // What is in use soon ends the row; those that were given up hang still.
    expect(await set.prepare("quick", newer)).toBe("prepared");
    await giveUp(set, 1);
    expect(await set.prepare("quick", newer)).toBe("prepared");
    const preparing = set.prepare("one-more", newer);
    await set.clock.advance(undisturbedMs);
    expect(await outcome(preparing)).toBe("under way");
  });
});
