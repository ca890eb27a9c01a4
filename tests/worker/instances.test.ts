import { describe, expect, test } from "vitest";
import type { CheckedStep, PolicyRelease } from "../../src/config/types.ts";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import { testHost } from "../../src/testing/test-engine.ts";
import { CreateTimeoutError, createInstancePool } from "../../src/worker/instances.ts";
import type { PolicyHost } from "../../src/worker/policy-host.ts";

interface Made {
  readonly events: string[];
  readonly host: PolicyHost;
  step(name: string, parametersHash: string, create?: PolicyRelease["definition"]["create"]): CheckedStep;
  samples(): number;
}

function setUp(startTimer?: PolicyHost["startTimer"]): Made {
  const events: string[] = [];
  const counters = createStepCounters();
  const host = { ...testHost({ counters }, () => 0), ...(startTimer === undefined ? {} : { startTimer }) };
  let made = 0;
  return {
    events,
    host,
    samples: () =>
      counters
        .families()
        .map((family) => (family.type === "histogram" ? family.series.length : family.samples.length))
        .reduce((sum, count) => sum + count, 0),
    step: (name, parametersHash, create) => ({
      name,
      release: {
        manifest: {
          name: "made",
          version: "1.0.0",
          summary: "",
          sdk: 1,
          protects: false,
          metadata: { reads: [], writes: {} },
          mutates: [],
          headers: { request: [], response: [] },
          replies: "sometimes",
          parameters: {},
        },
        definition: {
          create:
            create ??
            (() => {
              const number = ++made;
              events.push(`create ${number}`);
              return { request: () => undefined, close: () => void events.push(`close ${number}`) };
            }),
        },
        source: "tests",
        hash: "",
      },
      parameters: {},
      parametersHash,
      shownParameters: {},
      literalSecrets: new Map(),
      acknowledged: [],
      when: undefined,
      whenReadsResponse: false,
      reads: new Set(),
      timeoutMs: 1000,
      onError: "deny",
      onUpgrade: "deny",
      onStream: "deny",
      position: { uri: "config.yaml", line: 1, column: 1 },
      path: "",
    }),
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("instances", () => {
  test("are shared by holders with the same chain, step, version and parameters, and closed once by the last", async () => {
    const { host, step, events } = setUp();
    const pool = createInstancePool(host);
    const one = await pool.acquire("chain", step("a", "hash"));
    const same = await pool.acquire("chain", step("a", "hash"));
    expect(same.instance).toBe(one.instance);
    one.release();
    await settled();
    expect(events).toEqual(["create 1"]);
    same.release();
    await settled();
    expect(events).toEqual(["create 1", "close 1"]);
  });

  test.for([
    { what: "chain", chain: "other", name: "a", hash: "hash" },
    { what: "step", chain: "chain", name: "b", hash: "hash" },
    { what: "parameters", chain: "chain", name: "a", hash: "other" },
  ])("are not shared across $what", async ({ chain, name, hash }) => {
    const { host, step } = setUp();
    const pool = createInstancePool(host);
    const one = await pool.acquire("chain", step("a", "hash"));
    const other = await pool.acquire(chain, step(name, hash));
    expect(other.instance).not.toBe(one.instance);
  });

  test("after the last release the next holder gets a new one", async () => {
    const { host, step, events } = setUp();
    const pool = createInstancePool(host);
    (await pool.acquire("chain", step("a", "hash"))).release();
    await pool.acquire("chain", step("a", "hash"));
    expect(events.filter((event) => event.startsWith("create"))).toEqual(["create 1", "create 2"]);
  });

  test("a failed create is not kept: the next try may succeed", async () => {
    const { host, step } = setUp();
    const pool = createInstancePool(host);
    let fails = true;
    const create = () => {
      if (fails) throw new Error("not now");
      return { request: () => undefined };
    };
    await expect(pool.acquire("chain", step("a", "hash", create))).rejects.toThrow("not now");
    fails = false;
    await expect(pool.acquire("chain", step("a", "hash", create))).resolves.toBeDefined();
  });

  test("one that arrives after its deadline is closed", async () => {
    const events: string[] = [];
    let arrive: (instance: { request: () => undefined; close: () => void }) => void = () => {};
    const { host, step } = setUp((_milliseconds, expired) => {
      const timer = setTimeout(expired, 5);
      return () => clearTimeout(timer);
    });
    const pool = createInstancePool(host);
    const create = () =>
      new Promise<{ request: () => undefined; close: () => void }>((resolve) => {
        arrive = resolve;
      });
    await expect(pool.acquire("chain", step("a", "hash", create))).rejects.toBeInstanceOf(CreateTimeoutError);
    arrive({ request: () => undefined, close: () => void events.push("close") });
    await settled();
    expect(events).toEqual(["close"]);
  });

  test("a close that throws hurts nobody, and what the context started has ended", async () => {
    const { host, step } = setUp();
    const pool = createInstancePool(host);
    let ticks = 0;
    const lease = await pool.acquire(
      "chain",
      step("a", "hash", (_parameters, context) => {
        context.every(10, () => {
          ticks += 1;
        });
        return {
          request: () => undefined,
          close: () => {
            throw new Error("cannot close");
          },
        };
      }),
    );
    await expect.poll(() => ticks).toBeGreaterThan(1);
    lease.release();
    const seen = ticks;
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(ticks).toBe(seen);
  });

  test("counters of a step go when it goes", async () => {
    const { host, step, samples } = setUp();
    const pool = createInstancePool(host);
    const lease = await pool.acquire("chain", step("a", "hash"));
    host.counters.count(lease.counter, "request", "ran");
    expect(samples()).toBeGreaterThan(0);
    lease.release();
    expect(samples()).toBe(0);
  });
});
