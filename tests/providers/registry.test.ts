import { describe, expect, test } from "vitest";
import type { SourceDocument } from "../../src/config/types.ts";
import { type Problem, problem } from "../../src/errors.ts";
import { createProviderRegistry } from "../../src/providers/create-registry.ts";
import type { Provider, ProviderSink, Verdict } from "../../src/providers/provider.ts";
import type { ProviderRegistry, RegistryHost } from "../../src/providers/registry.ts";
import type { SavedSource, SavedState } from "../../src/providers/saved-state.ts";
import type { Registration } from "../../src/providers/source.ts";
import { eventually } from "../files/recorder.ts";

/** A provider that the test speaks for. Its documents are single words. */
interface Puppet extends Provider {
  /** Delivers a document; resolves with the verdict. */
  says(word: string): Promise<Verdict>;
  fails(message: string): void;
  /** Verdicts that it was told besides those that `says` has resolved with. */
  readonly toldAgain: readonly Verdict[];
  readonly closed: boolean;
}

function puppet(name: string): Puppet {
  let sink: ProviderSink | undefined;
  let closed = false;
  const toldAgain: Verdict[] = [];
  const started = (): ProviderSink => {
    if (sink === undefined) throw new Error(`${name} was not started`);
    return sink;
  };
  return {
    name,
    start: async (given) => {
      sink = given;
    },
    toldAgain,
    rejudged: (verdict) => void toldAgain.push(verdict),
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
  /** What was to be saved, each time. */
  readonly saved: readonly (readonly SavedSource[])[];
  /** Runs out the time that the start has for slow providers. */
  readonly loosePatience: () => void;
  /** From now on, applications wait. Returns what lets them go on. */
  hold(): () => void;
}

const refusal: readonly Problem[] = [problem("no-configuration", { position: { uri: "a", line: 1, column: 1 }, path: "" }, {})];

const registered = (provider: Provider): Registration => ({
  provider,
  reads: `what ${provider.name} reads`,
  precedence: 0,
  mayUseSecret: () => true,
});

/** Two providers `a` and `b`; `accepts` decides on the words of both, as in `a1 b1`. */
function stage(accepts: (words: string) => boolean = () => true, before?: SavedState): Stage {
  const [a, b] = [puppet("a"), puppet("b")];
  const applied: string[] = [];
  const told: string[] = [];
  const saved: (readonly SavedSource[])[] = [];
  let loosePatience = (): void => {};
  let held: Promise<void> = Promise.resolve();
  let running = 0;
  let generation = 0;
  const host: RegistryHost = {
    attempt: (documents) => host.apply(documents),
    async apply(documents: readonly SourceDocument[]) {
      running += 1;
      expect(running, "applications overlap").toBe(1);
      const words = documents.map(({ text }) => text).join(" ");
      applied.push(words);
      await held;
      await new Promise(setImmediate);
      running -= 1;
      if (words.includes("throws")) throw new Error("apply is broken");
      if (!accepts(words)) return { kind: "refused", problems: refusal };
      return { kind: "accepted", generation: ++generation, hash: `hash of ${words}` };
    },
    judged: (provider, { kind }) => told.push(`${provider} ${kind}`),
    failed: (provider, { message }) => told.push(`${provider} failed: ${message}`),
    restored: (_, { kind }) => told.push(`disk ${kind}`),
    statistics: () => undefined,
    reportFailed: (provider, { message }) => told.push(`${provider} report failed: ${message}`),
    settled: (sources) => saved.push(sources),
    now: () => 1000 + generation,
    startTimer: (_, expired) => {
      loosePatience = expired;
      return () => {};
    },
  };
  const registry = createProviderRegistry([a, b].map(registered), host, before);
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  return { a, b, registry, starting: registry.start(), applied, told, saved, hold, loosePatience: () => loosePatience() };
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
      { kind: "accepted", generation: 1, hash: "hash of a1 b1" },
      { kind: "accepted", generation: 1, hash: "hash of a1 b1" },
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
    expect(registry.state()).toMatchObject([
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
    const nothing = (): void => {};
    const host: RegistryHost = {
      apply: () => Promise.reject(new Error("nothing to apply")),
      attempt: () => Promise.reject(new Error("nothing to apply")),
      judged: nothing,
      failed: (name, { message }) => told.push(`${name}: ${message}`),
      restored: nothing,
      statistics: () => undefined,
      reportFailed: nothing,
      settled: nothing,
      now: () => 0,
      startTimer: () => nothing,
    };
    const registry = createProviderRegistry([registered(broken)], host, undefined);
    await registry.start();
    expect(told).toEqual(["broken: no"]);
  });
});

describe("a refused delivery", () => {
  const accepts = (words: string): boolean => !words.includes("bad");

  test("leaves what is in force, and stops no other provider", async () => {
    const { a, b, registry, applied, told } = await running(accepts);
    expect(await kindOf(a.says("bad"))).toBe("refused");
    expect(registry.state()[0]).toEqual({
      name: "a",
      version: "version a1",
      delivered: "version bad",
      from: "provider",
      held: false,
      problems: 1,
      failure: undefined,
    });
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

describe("a provider is told when the verdict on what it delivered last changes", () => {
  const generation = (number: number) => expect.objectContaining({ kind: "accepted", generation: number });

  test("from refused to in use, when another provider mends the cause; never twice", async () => {
    const { a, b } = await running((words) => words !== "a2 b1");
    expect(await kindOf(a.says("a2"))).toBe("refused");
    expect(a.toldAgain).toEqual([]);
    await b.says("b2");
    await b.says("b3");
    expect([a.toldAgain, b.toldAgain]).toEqual([[generation(2)], []]);
  });

  test("from refused to in use, when what it refers to is there", async () => {
    let secret = false;
    const { a, b, registry } = stage(() => secret);
    await Promise.all([a.says("a1"), b.says("b1")]);
    secret = true;
    await registry.refresh();
    expect([a.toldAgain, b.toldAgain]).toEqual([[generation(1)], [generation(1)]]);
  });

  test("from refused to in use, when the provider that was in the way is taken out", async () => {
    const { a, registry } = await running((words) => words !== "a2 b1");
    expect(await kindOf(a.says("a2"))).toBe("refused");
    await registry.unregister("b");
    await eventually("the verdict", () => a.toldAgain.length === 1);
    expect(a.toldAgain).toEqual([generation(3)]);
    expect(registry.state()).toMatchObject([{ name: "a", version: "version a2", problems: 0 }]);
  });

  test("from in use to held, when somebody rolls back, and back again", async () => {
    const { a, b, registry } = await running();
    await a.says("a2");
    await registry.rollback(1);
    expect([a.toldAgain, b.toldAgain]).toEqual([[{ kind: "held", generation: 3 }], []]);
    await registry.rollback(2);
    expect(a.toldAgain.slice(1)).toEqual([generation(4)]);
  });

  test("from refused to in use, when the last good generation has taken the place of the others' mistakes", async () => {
    const { a, b, starting } = stage((words) => !words.includes("bad"), savedState("a0", "b0"));
    const verdicts = Promise.all([kindOf(a.says("a1")), kindOf(b.says("bad"))]);
    await starting;
    expect(await verdicts).toEqual(["refused", "refused"]);
    await eventually("the verdict", () => a.toldAgain.length > 0);
    expect([a.toldAgain, b.toldAgain]).toEqual([[generation(2)], []]);
  });

  test("but not of what it has replaced meanwhile: that is judged for itself", async () => {
    const { a, b, hold, applied } = await running((words) => words !== "a2 b1" && !words.includes("bad"));
    await a.says("a2");
    const release = hold();
    const mending = b.says("b2");
    await eventually("the application", () => applied.at(-1) === "a2 b2");
    const replacing = kindOf(a.says("bad"));
    release();
    await mending;
    expect(await replacing).toBe("refused");
    expect(a.toldAgain).toEqual([]);
  });

  test("one that throws then has failed, and stops nobody", async () => {
    const { a, b, registry, told } = await running((words) => words !== "a2 b1");
    Object.assign(a, {
      rejudged: () => {
        throw new Error("not now");
      },
    });
    await a.says("a2");
    expect(await kindOf(b.says("b2"))).toBe("accepted");
    expect(registry.state()[0]).toMatchObject({ version: "version a2", failure: "not now" });
    expect(told.slice(2)).toEqual(["a refused", "a accepted", "a failed: not now", "b accepted"]);
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
    expect(await registry.refresh()).toMatchObject({ kind: "accepted", generation: 2 });
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

describe("providers come and go while the engine runs", () => {
  test("one more stops nobody until it has delivered, and then takes part", async () => {
    const { a, registry, applied } = await running();
    const c = puppet("c");
    const registering = registry.register(registered(c));
    expect(await kindOf(a.says("a2"))).toBe("accepted");
    const verdict = kindOf(c.says("c1"));
    await registering;
    expect(await verdict).toBe("accepted");
    expect(applied.slice(1)).toEqual(["a2 b1", "a2 b1 c1"]);
  });

  test("before anything is in force one more is waited for like the others", async () => {
    const { a, b, registry, applied } = stage();
    const c = puppet("c");
    const registering = registry.register(registered(c));
    const verdicts = [a.says("a1"), b.says("b1")].map(kindOf);
    await new Promise(setImmediate);
    expect(applied).toEqual([]);
    expect(await kindOf(c.says("c1"))).toBe("accepted");
    expect(await Promise.all(verdicts)).toEqual(["accepted", "accepted"]);
    await registering;
    expect(applied).toEqual(["a1 b1 c1"]);
  });

  test("a name is taken once", async () => {
    const { registry } = await running();
    await expect(registry.register(registered(puppet("a")))).rejects.toThrow("there is a provider `a` already; give this one another name");
  });

  test("one less takes its documents with it", async () => {
    const { a, b, registry, applied, saved } = await running();
    expect(await registry.unregister("a")).toMatchObject({ kind: "accepted", generation: 2 });
    expect([a.closed, b.closed]).toEqual([true, false]);
    expect(applied).toEqual(["a1 b1", "b1"]);
    expect(saved.at(-1)?.map(({ name }) => name)).toEqual(["b"]);
    expect(registry.state().map(({ name }) => name)).toEqual(["b"]);
    await expect(registry.unregister("a")).rejects.toThrow("there is no provider `a`");
  });

  test("one that the rest cannot be without stays", async () => {
    const { a, registry, applied } = await running((words) => words !== "b1");
    expect(await registry.unregister("a")).toMatchObject({ kind: "refused" });
    expect(a.closed).toBe(false);
    expect(await kindOf(a.says("a2"))).toBe("accepted");
    expect(applied).toEqual(["a1 b1", "b1", "a2 b1"]);
  });

  test("one that everybody waits for can be taken out, and nothing is applied in part on the way", async () => {
    const { a, b, registry, starting, applied } = stage();
    const c = puppet("c");
    const registering = registry.register(registered(c));
    const verdict = kindOf(a.says("a1"));
    expect(await registry.unregister("c")).toBe(undefined);
    await registering;
    await new Promise(setImmediate);
    expect(applied).toEqual([]);
    await b.says("b1");
    expect(await verdict).toBe("accepted");
    await starting;
  });

  test("what nobody will judge any more is rejected, not left waiting", async () => {
    const { a, registry } = stage();
    const waiting = expect(a.says("a1")).rejects.toThrow("the engine has stopped");
    await registry.close();
    await waiting;
  });
});

describe("a rollback", () => {
  async function threeGenerations(): Promise<Stage> {
    const set = await running((words) => !words.includes("bad"));
    await set.a.says("a2");
    await set.b.says("b2");
    return set;
  }

  test("takes the documents of an earlier generation into use, under a number of its own", async () => {
    const { registry, applied } = await threeGenerations();
    expect(await registry.rollback(1)).toEqual({ kind: "accepted", generation: 4, hash: "hash of a1 b1" });
    expect(applied.at(-1)).toBe("a1 b1");
    expect(registry.kept()).toEqual([
      { generation: 1, hash: "hash of a1 b1", since: 1001, reason: "delivery", providers: versions("a1", "b1") },
      { generation: 2, hash: "hash of a2 b1", since: 1002, reason: "delivery", providers: versions("a2", "b1") },
      { generation: 3, hash: "hash of a2 b2", since: 1003, reason: "delivery", providers: versions("a2", "b2") },
      { generation: 4, hash: "hash of a1 b1", since: 1004, reason: "rollback", providers: versions("a1", "b1") },
    ]);
    expect(registry.state()).toMatchObject([
      { version: "version a1", delivered: "version a2", held: true },
      { version: "version b1", delivered: "version b2", held: true },
    ]);
  });

  test("holds back the same content, whatever its provider calls it, and lets what is new pass", async () => {
    const { a, registry, applied, told } = await threeGenerations();
    await registry.rollback(1);
    expect(await a.says("a2")).toEqual({ kind: "held", generation: 4 });
    expect(told.at(-1)).toBe("a held");
    expect(await kindOf(a.says("a3"))).toBe("accepted");
    // What b has delivered is held back still.
    expect(applied.slice(3)).toEqual(["a1 b1", "a3 b1"]);
    expect(registry.state()).toMatchObject([
      { version: "version a3", held: false },
      { version: "version b1", held: true },
    ]);
    // Once free, a is free: what it was rolled back from is new again after something else.
    expect(await kindOf(a.says("a2"))).toBe("accepted");
  });

  test("is undone by rolling forward", async () => {
    const { b, registry, applied } = await threeGenerations();
    await registry.rollback(1);
    expect(await registry.rollback(3)).toMatchObject({ kind: "accepted", generation: 5 });
    expect(registry.state()).toMatchObject([{ held: false }, { held: false }]);
    expect(await kindOf(b.says("b2"))).toBe("accepted");
    expect(applied.slice(3)).toEqual(["a1 b1", "a2 b2", "a2 b2"]);
  });

  test("survives a rotated secret", async () => {
    const { registry, applied } = await threeGenerations();
    await registry.rollback(1);
    await registry.refresh();
    expect(applied.at(-1)).toBe("a1 b1");
  });

  test("sets aside what was refused, too", async () => {
    const { a, registry } = await threeGenerations();
    await a.says("bad");
    await registry.rollback(1);
    expect(registry.state()[0]).toMatchObject({ held: true, problems: 0 });
    expect(await kindOf(a.says("bad"))).toBe("held");
  });

  test("does not hold back what arrives while it is under way", async () => {
    const { a, registry, hold, applied } = await threeGenerations();
    const release = hold();
    const rollingBack = registry.rollback(1);
    await eventually("the application", () => applied.length === 4);
    const verdict = kindOf(a.says("a3"));
    release();
    await rollingBack;
    expect(await verdict).toBe("accepted");
    expect(applied.slice(3)).toEqual(["a1 b1", "a3 b1"]);
  });

  test("to a generation that cannot be used any more, or that is not kept, changes nothing", async () => {
    let spoilt = false;
    const { a, registry } = await running(() => !spoilt);
    await a.says("a2");
    spoilt = true;
    expect(await registry.rollback(1)).toMatchObject({ kind: "refused" });
    expect(registry.state()[0]).toMatchObject({ version: "version a2", held: false });
    expect(await registry.rollback(7)).toMatchObject({ kind: "unknown", kept: [{ generation: 1 }, { generation: 2 }] });
  });

  test("ten generations are kept, and none of a provider that is gone", async () => {
    const { a, b, registry } = await running();
    const c = puppet("c");
    const registering = registry.register(registered(c));
    await c.says("c1");
    await registering;
    for (let round = 2; round <= 12; round++) await b.says(`b${round}`);
    expect(registry.kept().map(({ generation }) => generation)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    await registry.unregister("c");
    expect(registry.kept().map(({ generation }) => generation)).toEqual([14]);
    await a.says("a2");
  });
});

describe("with a last good generation on disk", () => {
  test("it is not needed when everybody delivers", async () => {
    const { a, b, starting, applied, told } = stage(undefined, savedState("a0", "b0"));
    await Promise.all([a.says("a1"), b.says("b1"), starting]);
    expect([applied, told]).toEqual([["a1 b1"], ["a accepted", "b accepted"]]);
  });

  test("it takes the place of a provider that is away, and what the others deliver is tried with it", async () => {
    const { a, b, registry, starting, applied } = stage(undefined, savedState("a0", "b0"));
    const verdict = kindOf(a.says("a1"));
    b.fails("away");
    await starting;
    expect(await verdict).toBe("accepted");
    expect(applied).toEqual(["a0 b0", "a1 b0"]);
    expect(registry.state()).toMatchObject([
      { version: "version a1", from: "provider" },
      { version: "version b0", delivered: undefined, from: "disk", failure: "away" },
    ]);
    expect(await kindOf(b.says("b1"))).toBe("accepted");
    expect(registry.state()[1]).toMatchObject({ version: "version b1", from: "provider" });
  });

  test("it takes the place of what is refused, and stays the last good of whoever is refused", async () => {
    const { a, b, starting, applied, told } = stage((words) => !words.includes("bad"), savedState("a0", "b0"));
    await Promise.all([a.says("a1"), b.says("bad"), starting]);
    await eventually("the second application", () => told.includes("a accepted"));
    expect(applied).toEqual(["a1 bad", "a0 b0", "a1 bad", "a1 b0"]);
    expect(told).toEqual(["a refused", "b refused", "disk accepted", "a accepted", "b refused"]);
  });

  test("it is not used in part, and what is refused of it leaves nothing in force", async () => {
    const { a, b, registry, starting, applied } = stage((words) => !words.includes("0"), savedState("a0", "b0"));
    const verdict = kindOf(a.says("a1"));
    b.fails("away");
    await starting;
    expect(applied).toEqual(["a0 b0"]);
    expect(registry.state().map(({ version }) => version)).toEqual([undefined, undefined]);
    await b.says("b1");
    expect(await verdict).toBe("accepted");
  });

  test("a provider that does not answer is not waited for longer than the patience of the start", async () => {
    const { starting, applied, loosePatience } = stage(undefined, savedState("a0", "b0"));
    await new Promise(setImmediate);
    expect(applied).toEqual([]);
    loosePatience();
    await starting;
    expect(applied).toEqual(["a0 b0"]);
  });

  test("a rollback holds over a restart, whatever the providers deliver first", async () => {
    const first = await running();
    await first.a.says("a2");
    await first.registry.rollback(1);
    const saved = { generation: 3, hash: "", since: 0, sources: first.saved.at(-1) ?? [] };

    const { a, b, starting, applied, registry } = stage(undefined, saved);
    await eventually("the start from disk", () => applied.length === 1);
    await new Promise(setImmediate);
    const verdicts = [a.says("a2"), b.says("b1")].map(kindOf);
    await starting;
    expect(await Promise.all(verdicts)).toEqual(["held", "accepted"]);
    expect(new Set(applied)).toEqual(new Set(["a1 b1"]));
    expect(registry.state()).toMatchObject([{ version: "version a1", delivered: "version a2", held: true }, { held: false }]);
    expect(await kindOf(a.says("a3"))).toBe("accepted");
  });
});

function versions(a: string, b: string): readonly { readonly name: string; readonly version: string }[] {
  return [
    { name: "a", version: `version ${a}` },
    { name: "b", version: `version ${b}` },
  ];
}

function savedState(...words: readonly string[]): SavedState {
  const sources = words.map((word): SavedSource => {
    const name = word.slice(0, 1);
    return { name, reads: `what ${name} reads`, version: `version ${word}`, documents: [{ uri: name, text: word }] };
  });
  return { generation: 7, hash: "", since: 0, sources };
}
