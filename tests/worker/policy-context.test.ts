import type { PolicyContext } from "@envoy-policy-engine/sdk";
import { describe, expect, test } from "vitest";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import { testHost } from "../../src/testing/test-engine.ts";
import { createPolicyContext } from "../../src/worker/policy-context.ts";
import type { OutgoingCall } from "../../src/worker/policy-host.ts";
import { createSharedValues } from "../../src/worker/shared-values.ts";
import { createTestClock } from "../support/test-clock.ts";

function setUp(fetch?: (call: OutgoingCall) => Promise<Response>) {
  const clock = createTestClock(0);
  const logged: string[] = [];
  const note = (_facts: unknown, message: string): void => void logged.push(message);
  const host = {
    ...testHost({ counters: createStepCounters() }, clock.now),
    startTimer: clock.startTimer,
    ...(fetch === undefined ? {} : { fetch }),
    log: () => ({ debug: note, info: note, warn: note, error: note }),
  };
  const shared = createSharedValues();
  let steps = 0;
  return { clock, logged, open: () => createPolicyContext({ chain: "c", step: `s${++steps}`, policy: "p@1.0.0" }, host, shared) };
}

describe("after", () => {
  test("calls once, at its time, and not at all when it was cancelled", async () => {
    const { clock, open } = setUp();
    const { context } = open();
    const events: string[] = [];
    context.after(100, () => void events.push("first"));
    context.after(50, () => void events.push("never"))();
    await clock.advance(99);
    expect(events).toEqual([]);
    await clock.advance(1_000);
    expect(events).toEqual(["first"]);
  });

  test("ends with the instance, also what is asked for later", async () => {
    const { clock, open } = setUp();
    const { context, close } = open();
    const events: string[] = [];
    context.after(100, () => void events.push("before"));
    close();
    context.after(100, () => void events.push("afterwards"))();
    context.after(100, () => void events.push("afterwards"));
    await clock.advance(1_000);
    expect(events).toEqual([]);
  });

  test("one after another they may be many, fired or cancelled", async () => {
    const { clock, open } = setUp();
    const { context } = open();
    for (let count = 0; count < 200; count++) {
      context.after(1, () => {});
      context.after(1, () => {})();
      await clock.advance(1);
    }
  });

  test("a task that throws or rejects is logged", async () => {
    const { clock, logged, open } = setUp();
    const { context } = open();
    context.after(0, () => {
      throw new Error("thrown");
    });
    context.after(0, async () => Promise.reject(new Error("rejected")));
    await clock.advance(1);
    expect(logged).toEqual(["a background task failed", "a background task failed"]);
  });

  test.each([-1, Number.NaN, 2 ** 31])("a delay of %d ms is refused", (delayMs) => {
    expect(() =>
      setUp()
        .open()
        .context.after(delayMs, () => {}),
    ).toThrow(RangeError);
  });
});

describe("outgoing calls", () => {
  const hanging = () => {
    const signals: AbortSignal[] = [];
    const fetch = ({ init: { signal } }: OutgoingCall): Promise<Response> =>
      new Promise((_, reject) => {
        if (signal === undefined) return reject(new Error("there is always one"));
        signals.push(signal);
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    return { signals, fetch };
  };

  test("end when the instance is closed, and none begins afterwards", async () => {
    const { signals, fetch } = hanging();
    const { context, close } = setUp(fetch).open();
    const calls = [context.fetch("a", "http://a"), context.fetch("a", "http://a", { signal: new AbortController().signal })];
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    close();
    const later = context.fetch("a", "http://a");
    for (const call of [...calls, later]) await expect(call).rejects.toThrow("the instance that made the call was closed");
  });

  test("may be many at once and one after another: requests make them", async () => {
    const { context } = setUp(async () => new Response()).open();
    await Promise.all(Array.from({ length: 200 }, () => context.fetch("a", "http://a")));
    for (let count = 0; count < 200; count++) await context.fetch("a", "http://a");
  });

  test("end when the caller's signal says so", async () => {
    const { fetch } = hanging();
    const controller = new AbortController();
    const call = setUp(fetch).open().context.fetch("a", "http://a", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });
});

describe("shared values", () => {
  const key = { name: "tests: ticks" };
  const ticking = (events: string[]) => (context: Pick<PolicyContext, "every">) => {
    events.push("made");
    context.every(100, () => void events.push("tick"));
    return { value: events.length };
  };

  test("are made once, outlive the first that asked, and end with the last", async () => {
    const { clock, open } = setUp();
    const events: string[] = [];
    const [one, two] = [open(), open()];
    const value = one.context.shared(key, ticking(events));
    expect(two.context.shared(key, ticking(events))).toBe(value);
    one.close();
    await clock.advance(100);
    expect(events).toEqual(["made", "tick"]);
    two.close();
    await clock.advance(1_000);
    expect(events).toEqual(["made", "tick"]);
  });

  test("after the last, the next makes another one", () => {
    const { open } = setUp();
    const events: string[] = [];
    const one = open();
    const value = one.context.shared(key, ticking(events));
    one.close();
    expect(open().context.shared(key, ticking(events))).not.toBe(value);
    expect(events).toEqual(["made", "made"]);
  });

  test("keys tell them apart", () => {
    const { open } = setUp();
    const { context } = open();
    expect(context.shared({ name: "a" }, () => ({}))).not.toBe(context.shared({ name: "b" }, () => ({})));
  });

  test("an instance that asks twice holds it until it is closed", async () => {
    const { clock, open } = setUp();
    const events: string[] = [];
    const one = open();
    one.context.shared(key, ticking(events));
    one.context.shared(key, ticking(events));
    one.close();
    one.close();
    await clock.advance(1_000);
    expect(events).toEqual(["made"]);
  });

  test("one that cannot be made leaves nothing behind", async () => {
    const { clock, open } = setUp();
    const events: string[] = [];
    const { context } = open();
    expect(() =>
      context.shared<object>(key, (inner) => {
        inner.every(100, () => void events.push("tick"));
        throw new Error("cannot");
      }),
    ).toThrow("cannot");
    await clock.advance(1_000);
    expect(events).toEqual([]);
    context.shared(key, ticking(events));
    expect(events).toEqual(["made"]);
  });

  test("what an instance asks for after it was closed ends at once", async () => {
    const { clock, open } = setUp();
    const events: string[] = [];
    const one = open();
    one.close();
    one.context.shared(key, ticking(events));
    await clock.advance(1_000);
    expect(events).toEqual(["made"]);
  });
});
