/** What a change of configuration leaves as it is. */
import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import { describe, expect, test, vi } from "vitest";
import { generationsPage } from "../../src/engine/configuration-pages.ts";
import type { Provider, ProviderSink, Verdict } from "../../src/providers/provider.ts";
import { createdPolicies } from "../support/code-policy.ts";
import { type ConfiguredEngine, configuredEngine } from "../support/configured-engine.ts";

/** A policy that stamps how often it was created, so that traffic tells one instance from the next. */
function counting(): { readonly policies: ReturnType<typeof createdPolicies>; readonly closed: readonly string[] } {
  const closed: string[] = [];
  const create = (name: string): PolicyDefinition<Record<string, never>, unknown>["create"] => {
    let count = 0;
    return () => {
      const stamp = `${name} ${++count}`;
      return { request: ({ request }) => request.headers.set("x-stamp", stamp), close: () => void closed.push(stamp) };
    };
  };
  return { policies: createdPolicies({ first: create("first"), second: create("second") }), closed };
}

interface PushProvider extends Provider {
  push(text: string): Promise<Verdict>;
}

/** @param first what it delivers at its start */
function pushProvider(name: string, first: string): PushProvider {
  let sink: ProviderSink | undefined;
  const push = async (text: string): Promise<Verdict> => {
    if (sink === undefined) throw new Error("not started");
    return sink.update([{ uri: `${name}.yaml`, text }], text);
  };
  return {
    name,
    start: async (given) => {
      sink = given;
      await push(first);
    },
    close: async () => {},
    push,
  };
}

async function startWith(policies: ReturnType<typeof createdPolicies>, ...providers: readonly Provider[]): Promise<ConfiguredEngine> {
  const registrations = providers.map((provider) => ({ provider, reads: "", precedence: 0, mayUseSecret: () => true }));
  const engine = await configuredEngine({ registrations, policies });
  await engine.configuration.start();
  return engine;
}

async function pushed(policies: ReturnType<typeof createdPolicies>, text: string): Promise<ConfiguredEngine & PushProvider> {
  const provider = pushProvider("a", text);
  return { ...(await startWith(policies, provider)), ...provider };
}

const chains = (one: string, two: string): string => `version: 1
chains:
  one: { steps: [${one}] }
  two: { steps: [${two}] }
routes: { one: one, two: two }
`;

test("instances of chains that an edit does not concern live on; the others are closed once", async () => {
  const { policies, closed } = counting();
  const engine = await pushed(policies, chains("{ policy: first@1.0.0 }", "{ policy: second@1.0.0 }"));
  const ask = async () => [await engine.ask("one"), await engine.ask("two")];
  expect(await ask()).toEqual(["first 1", "second 1"]);

  await engine.push(chains("{ policy: first@1.0.0 }", "{ policy: second@1.0.0, name: renamed }"));
  expect(await ask()).toEqual(["first 1", "second 2"]);
  await engine.push(`# A comment.\n${chains("{ policy: first@1.0.0, timeout: 200ms }", "{ policy: second@1.0.0, name: renamed }")}`);
  expect(await ask()).toEqual(["first 1", "second 2"]);
  expect(await engine.push(chains("{ policy: nowhere@1 }", "{ policy: second@1.0.0 }"))).toMatchObject({ kind: "refused" });
  expect(await ask()).toEqual(["first 1", "second 2"]);
  expect(closed).toEqual(["second 1"]);

  await engine.configuration.close();
  await new Promise(setImmediate);
  expect(closed.toSorted()).toEqual(["first 1", "second 1", "second 2"]);
});

test("a generation has a number, a content hash and a time, and each chain and route knows its provider", async () => {
  const engine = await pushed(counting().policies, chains("{ policy: first@1.0.0 }", ""));
  const before = engine.configuration.generations.current();
  expect(before).toMatchObject({ number: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/), committedAt: expect.any(Number) });
  expect(before?.config.chains.get("one")).toMatchObject({ provider: "a", position: { uri: "a.yaml", line: 3 } });
  expect(before?.config.routeSources.get("two")).toEqual({ provider: "a", position: { uri: "a.yaml", line: 5, column: 21 } });
  await engine.push(chains("", "{ policy: first@1.0.0 }"));
  const after = engine.configuration.generations.current();
  expect([after?.number, after?.hash === before?.hash]).toEqual([2, false]);
  await engine.configuration.close();
});

test("a generation is listed as draining while exchanges that began with it are open, then as kept", async () => {
  const { policies } = counting();
  const engine = await pushed(policies, chains("{ policy: first@1.0.0 }", ""));
  const { generations } = engine;
  const { registry } = engine.configuration;
  const states = () => generationsPage(generations, registry.kept()).generations.map(({ number, state }) => [number, state]);
  const first = generations.current();
  first?.pin();
  await engine.push(chains("{ policy: second@1.0.0 }", ""));
  expect(states()).toEqual([
    [2, "in use"],
    [1, "draining"],
  ]);
  first?.unpin();
  expect(states()).toEqual([
    [2, "in use"],
    [1, "kept"],
  ]);
});

test("a chain that moves from one provider to another is a new generation, and keeps its instances", async () => {
  const empty = "version: 1\n";
  const text = chains("{ policy: first@1.0.0 }", "");
  const [a, b] = [pushProvider("a", text), pushProvider("b", empty)];
  const { policies, closed } = counting();
  const engine = await startWith(policies, a, b);
  expect(await Promise.all([a.push(empty), b.push(text)])).toMatchObject([{ generation: 2 }, { generation: 2 }]);
  const { config } = engine.configuration.generations.current() ?? {};
  expect([config?.chains.get("one")?.provider, config?.routeSources.get("one")?.provider]).toEqual(["b", "b"]);
  expect([await engine.ask("one"), closed]).toEqual(["first 1", []]);
  await engine.configuration.close();
});

describe("a policy whose `create` hangs holds up nothing that comes after it", () => {
  /** `hanging` is created when `create` is called; `quick` at once. */
  function hanging() {
    const { promise, resolve } = Promise.withResolvers<void>();
    let hung = 0;
    let closed = 0;
    const instance = { request: () => undefined, close: () => void closed++ };
    const policies = createdPolicies({
      quick: () => instance,
      hanging: async () => {
        hung += 1;
        await promise;
        return instance;
      },
    });
    return { policies, create: resolve, hung: () => hung, closed: () => closed };
  }
  const quick = chains("{ policy: quick@1.0.0 }", "");
  const hung = chains("{ policy: quick@1.0.0 }", "{ policy: hanging@1.0.0 }");
  const mended = chains("{ policy: quick@1.0.0 }", "{ policy: quick@1.0.0, name: other }");

  test("the next delivery is in use soon, both are told so, and what arrives late is closed", async () => {
    const { policies, create, hung: hangs, closed } = hanging();
    const { configuration, push, log } = await pushed(policies, quick);
    const first = push(hung);
    await vi.waitFor(() => expect(hangs()).toBe(1));
    const second = push(mended);
    expect(await first).toMatchObject({ kind: "accepted", generation: 2 });
    expect(await second).toEqual(await first);
    expect(configuration.reloader.state()).toMatchObject({ accepted: 2, superseded: 1 });
    expect(closed()).toBe(0);
    create();
    await vi.waitFor(() => expect(closed()).toBe(1));
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
    await configuration.close();
    await vi.waitFor(() => expect(closed()).toBe(3));
  });

  test("a rollback, a provider that is taken out, and the end of the engine do not wait for it", async () => {
    const { policies } = hanging();
    const other = pushProvider("b", "version: 1\nroutes: { three: one }\n");
    const provider = pushProvider("a", quick);
    const { configuration } = await startWith(policies, provider, other);
    await provider.push(mended);
    const hanged = provider.push(hung);
    expect(await configuration.rollback(1, undefined)).toMatchObject({ kind: "accepted", generation: 3 });
    // What hung was delivered before the rollback: it is rolled back from.
    expect(await hanged).toMatchObject({ kind: "held" });
    const again = provider.push(hung.replace("version: 1", "version: 1 # again"));
    expect(await configuration.registry.unregister("b")).toMatchObject({ kind: "accepted", generation: 4 });
    const ended = expect(again).rejects.toThrow("the engine has stopped");
    await configuration.close();
    await ended;
  });
});
