import { describe, expect, test } from "vitest";
import type { SourceDocument } from "../../src/config/types.ts";
import { type Problem, problem } from "../../src/errors.ts";
import type { Provider, ProviderSink, Verdict } from "../../src/providers/provider.ts";
import { createProviderRegistry, type ProviderRegistry } from "../../src/providers/registry.ts";
import { eventually } from "../files/recorder.ts";

/** A provider that the test speaks for. Its documents are single words. */
interface Puppet extends Provider {
  /** Delivers a document; resolves with the verdict. */
  says(word: string): Promise<Verdict>;
  fails(message: string): void;
  readonly closed: boolean;
}

function puppet(name: string): Puppet {
  let sink: ProviderSink | undefined;
  let closed = false;
  const started = (): ProviderSink => {
    if (sink === undefined) throw new Error(`${name} was not started`);
    return sink;
  };
  return {
    name,
    start: async (given) => {
      sink = given;
    },
    report: () => {},
    close: async () => {
      closed = true;
    },
    says: (word) => started().update([{ uri: name, text: word }], `version ${word}`),
    fails: (message) => started().failed(new Error(message)),
    get closed() {
      return closed;
    },
  };
}

interface Stage {
  readonly a: Puppet;
  readonly b: Puppet;
  readonly registry: ProviderRegistry;
  readonly starting: Promise<void>;
  /** The words of each application, in order. */
  readonly applied: readonly string[];
  /** What the host was told. */
  readonly told: readonly string[];
  /** From now on, applications wait. Returns what lets them go on. */
  hold(): () => void;
}

const refusal: readonly Problem[] = [problem("no-configuration", { position: { uri: "a", line: 1, column: 1 }, path: "" }, {})];

/** Two providers `a` and `b`; `accepts` decides on the words of both, as in `a1 b1`. */
function stage(accepts: (words: string) => boolean = () => true): Stage {
  const [a, b] = [puppet("a"), puppet("b")];
  const applied: string[] = [];
  const told: string[] = [];
  let held: Promise<void> = Promise.resolve();
  let running = 0;
  let generation = 0;
  const registry = createProviderRegistry([a, b], {
    async apply(documents: readonly SourceDocument[]) {
      running += 1;
      expect(running, "applications overlap").toBe(1);
      const words = documents.map(({ text }) => text).join(" ");
      applied.push(words);
      await held;
      await new Promise(setImmediate);
      running -= 1;
      if (words.includes("throws")) throw new Error("apply is broken");
      return accepts(words) ? { kind: "accepted", generation: ++generation } : { kind: "refused", problems: refusal };
    },
    judged: (provider, { kind }) => told.push(`${provider} ${kind}`),
    failed: (provider, { message }) => told.push(`${provider} failed: ${message}`),
  });
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  return { a, b, registry, starting: registry.start(), applied, told, hold };
}

const kindOf = async (verdict: Promise<Verdict>): Promise<string> => (await verdict).kind;

/** A stage on which both have delivered and were accepted. */
async function running(accepts?: (words: string) => boolean): Promise<Stage> {
  const set = stage(accepts);
  await Promise.all([set.a.says("a1"), set.b.says("b1"), set.starting]);
  return set;
}

describe("the start", () => {
  test("waits for every provider, and applies their documents once, in the order of the providers", async () => {
    const { a, b, starting, applied } = stage();
    const second = b.says("b1");
    await new Promise(setImmediate);
    expect(applied).toEqual([]);
    const first = a.says("a1");
    expect(await Promise.all([first, second])).toEqual([
      { kind: "accepted", generation: 1 },
      { kind: "accepted", generation: 1 },
    ]);
    await starting;
    expect(applied).toEqual(["a1 b1"]);
  });

  test("ends when a provider has failed, but a part is never applied: its first delivery is waited for", async () => {
    const { a, b, registry, starting, applied, told } = stage();
    const verdict = a.says("a1");
    b.fails("away");
    await starting;
    expect(applied).toEqual([]);
    expect(told).toEqual(["b failed: away"]);
    expect(registry.state()).toEqual([
      { name: "a", version: undefined, delivered: "version a1", problems: 0, failure: undefined },
      { name: "b", version: undefined, delivered: undefined, problems: 0, failure: "away" },
    ]);
    await b.says("b1");
    expect(await kindOf(verdict)).toBe("accepted");
    expect(applied).toEqual(["a1 b1"]);
    expect(registry.state()).toMatchObject([{ version: "version a1" }, { version: "version b1", failure: undefined }]);
  });

  test("ends with the verdict, not before", async () => {
    const { a, b, starting, hold, applied } = stage();
    const release = hold();
    let ended = false;
    const ending = starting.then(() => {
      ended = true;
    });
    const asked = [a.says("a1"), b.says("b1")];
    await eventually("the application", () => applied.length === 1);
    await new Promise(setImmediate);
    expect(ended).toBe(false);
    release();
    await Promise.all([ending, ...asked]);
  });

  test("ends with the verdict when everything is refused, and what mends it is applied with the rest", async () => {
    const { a, b, registry, starting, applied } = stage((words) => !words.includes("bad"));
    expect(await Promise.all([kindOf(a.says("bad")), kindOf(b.says("b1")), starting])).toEqual(["refused", "refused", undefined]);
    expect(registry.state()).toMatchObject([
      { version: undefined, problems: 1 },
      { version: undefined, problems: 1 },
    ]);
    expect(await kindOf(b.says("b2"))).toBe("refused");
    expect(await kindOf(a.says("a1"))).toBe("accepted");
    // Never `b1` or `b2` alone: a part of the configuration is not the configuration.
    expect(applied).toEqual(["bad b1", "bad b2", "a1 b2"]);
    expect(registry.state()).toMatchObject([
      { version: "version a1", problems: 0 },
      { version: "version b2", problems: 0 },
    ]);
  });

  test("a provider whose start rejects has failed", async () => {
    const broken: Provider = { ...puppet("broken"), start: () => Promise.reject(new Error("no")) };
    const told: string[] = [];
    const registry = createProviderRegistry([broken], {
      apply: () => Promise.reject(new Error("nothing to apply")),
      judged: () => {},
      failed: (name, { message }) => told.push(`${name}: ${message}`),
    });
    await registry.start();
    expect(told).toEqual(["broken: no"]);
  });
});

describe("a refused delivery", () => {
  const accepts = (words: string): boolean => !words.includes("bad");

  test("leaves what is in force, and stops no other provider", async () => {
    const { a, b, registry, applied, told } = await running(accepts);
    expect(await kindOf(a.says("bad"))).toBe("refused");
    expect(registry.state()[0]).toEqual({ name: "a", version: "version a1", delivered: "version bad", problems: 1, failure: undefined });
    expect(await kindOf(b.says("b2"))).toBe("accepted");
    expect(applied).toEqual(["a1 b1", "bad b1", "bad b2", "a1 b2"]);
    expect(told.slice(2)).toEqual(["a refused", "b accepted"]);
  });

  test("is taken when another provider mends its cause, and its own provider's state is told", async () => {
    const { a, b, registry, told } = await running((words) => words !== "a2 b1");
    expect(await kindOf(a.says("a2"))).toBe("refused");
    expect(await kindOf(b.says("b2"))).toBe("accepted");
    expect(registry.state()).toMatchObject([{ version: "version a2", problems: 0 }, { version: "version b2" }]);
    expect(told.slice(2)).toEqual(["a refused", "a accepted", "b accepted"]);
  });

  test("taken back by its provider needs nobody else", async () => {
    const { a, applied } = await running(accepts);
    await a.says("bad");
    expect(await kindOf(a.says("a1"))).toBe("accepted");
    expect(applied).toEqual(["a1 b1", "bad b1", "a1 b1"]);
  });

  test("of two that come together the good one is taken, whichever it is", async () => {
    for (const [first, second, verdicts] of [
      ["bad", "b2", ["refused", "accepted"]],
      ["a2", "bad", ["accepted", "refused"]],
    ] as const) {
      const { a, b, hold, applied } = await running(accepts);
      const release = hold();
      const busy = a.says("a1");
      const asked = [a.says(first), b.says(second)].map(kindOf);
      release();
      await busy;
      expect(await Promise.all(asked)).toEqual(verdicts);
      expect(applied.at(-1)).toBe(first === "bad" ? "a1 b2" : "a2 b1");
    }
  });
});

describe("one after the other", () => {
  test("deliveries that come while one is applied are judged together afterwards, the newest of each", async () => {
    const { a, b, hold, applied } = await running();
    const release = hold();
    const first = a.says("a2");
    await eventually("the application", () => applied.length === 2);
    const superseded = a.says("a3");
    const rest = [a.says("a4"), b.says("b2")];
    release();
    const verdicts = await Promise.all([first, superseded, ...rest]);
    expect(verdicts.map((verdict) => verdict.kind === "accepted" && verdict.generation)).toEqual([2, 3, 3, 3]);
    expect(applied).toEqual(["a1 b1", "a2 b1", "a4 b2"]);
  });

  test("an application that throws is the failure of who asked, and the next one goes on", async () => {
    const { a } = await running();
    await expect(a.says("throws")).rejects.toThrow("apply is broken");
    expect(await kindOf(a.says("a2"))).toBe("accepted");
  });

  test("close closes the providers and waits for what is being applied", async () => {
    const { a, b, registry, hold, applied } = await running();
    const release = hold();
    const verdict = kindOf(a.says("a2"));
    await eventually("the application", () => applied.length === 2);
    let closed = false;
    const closing = registry.close().then(() => {
      closed = true;
    });
    await new Promise(setImmediate);
    expect([a.closed, b.closed, closed]).toEqual([true, true, false]);
    release();
    await closing;
    expect(await verdict).toBe("accepted");
  });
});

describe("refresh", () => {
  test("applies what is in force again", async () => {
    const { registry, applied } = await running();
    expect(await registry.refresh()).toEqual({ kind: "accepted", generation: 2 });
    expect(applied).toEqual(["a1 b1", "a1 b1"]);
  });

  test("takes what was refused for a reason outside the documents, such as a missing secret", async () => {
    let secret = false;
    const { a, b, registry, told } = stage(() => secret);
    expect(await Promise.all([kindOf(a.says("a1")), kindOf(b.says("b1"))])).toEqual(["refused", "refused"]);
    secret = true;
    expect(await kindOf(registry.refresh())).toBe("accepted");
    expect(told.slice(2)).toEqual(["a accepted", "b accepted"]);
  });

  test("applies what is in force if what was delivered last is refused still", async () => {
    const { a, registry, applied } = await running((words) => !words.includes("bad"));
    await a.says("bad");
    expect(await kindOf(registry.refresh())).toBe("accepted");
    expect(applied).toEqual(["a1 b1", "bad b1", "bad b1", "a1 b1"]);
    expect(registry.state()[0]).toMatchObject({ version: "version a1", delivered: "version bad", problems: 1 });
  });
});
