/** The registry against a model: whatever is done in whatever order, both have the same in use, and everybody was told the same. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SourceDocument } from "../../src/config/types.ts";
import { problem } from "../../src/errors.ts";
import { createProviderRegistry } from "../../src/providers/create-registry.ts";
import type { Provider, ProviderSink, Verdict } from "../../src/providers/provider.ts";
import type { ProviderRegistry, RegistryHost } from "../../src/providers/registry.ts";
import type { SavedSource } from "../../src/providers/saved-state.ts";
import { outcomeOf, type Registration } from "../../src/providers/source.ts";
import { settled } from "../support/test-clock.ts";
import { contentOf, isGood, Model, type Words, type World } from "./registry-model.ts";

type Action =
  | { readonly does: "deliver"; readonly deliveries: readonly (readonly [name: string, word: string])[] }
  | { readonly does: "fail" | "register" | "unregister"; readonly name: string }
  /** Back by so many generations. */
  | { readonly does: "rollback"; readonly back: number }
  | { readonly does: "refresh" | "secret" | "restart" };

const precedences: Readonly<Record<string, number>> = { a: 0, b: 0, c: 1, d: 0 };
const name = fc.constantFrom(...Object.keys(precedences));
const word = fc.constantFrom("good 1", "good 2", "good 3", "bad", "hang", "same 1", "same 2", "secret");
const delivery = fc.tuple(name, word);
const actions = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ does: fc.constant("deliver" as const), deliveries: fc.array(delivery, { minLength: 1, maxLength: 3 }) }),
    },
    { weight: 3, arbitrary: fc.record({ does: fc.constantFrom("fail" as const, "register" as const, "unregister" as const), name }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("rollback" as const), back: fc.nat(4) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constantFrom("refresh" as const, "secret" as const, "restart" as const) }) },
  ),
  { minLength: 5, maxLength: 40 },
);

test("after each of up to 40 actions in a row: generation, content, verdicts, what is kept and what is saved", {
  timeout: 60_000,
}, async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(actions, async (all) => {
      const world = { secret: false };
      const model = new Model([newcomer("a"), newcomer("b")], world);
      const real = await start(["a", "b"], world, undefined, 0);
      let stage = real;
      for (const action of all) {
        stage = (await act(action, model, stage, world)) ?? stage;
        await settled();
        expect(seenOf(stage)).toEqual(expectedOf(model));
        for (const told of model.told) seen.add(told.slice(2));
        [model.told.length, stage.told.length] = [0, 0];
      }
      await stage.registry.close();
    }),
    { seed: 20_261_126, numRuns: 1000 },
  );
  expect(seen).toEqual(new Set(["in-use", "refused", "held"]));
});

interface Stage {
  readonly registry: ProviderRegistry;
  readonly sinks: ReadonlyMap<string, ProviderSink>;
  readonly told: string[];
  readonly inUse: () => { readonly generation: number; readonly content: string };
  readonly saved: () => readonly SavedSource[] | undefined;
  readonly register: (name: string) => Promise<void>;
}

/** All providers are away at first. What is on disk is usable when it is of just these. */
async function start(names: readonly string[], world: World, disk: readonly SavedSource[] | undefined, generation: number): Promise<Stage> {
  const sinks = new Map<string, ProviderSink>();
  const told: string[] = [];
  let current = { generation, content: "" };
  let saved = disk;
  const isUsable = disk?.map((one) => one.name).join() === names.join();
  const before = disk !== undefined && isUsable ? { generation, hash: "", since: 0, sources: disk } : undefined;
  const host: RegistryHost = {
    async apply(documents) {
      await Promise.resolve();
      const words = wordsOf(documents);
      if (!isGood(words, world)) return { kind: "refused", problems: [words.some(({ word: one }) => one === "hang") ? hanging : refusal] };
      const content = contentOf(words);
      if (content === current.content) return { kind: "unchanged", generation: current.generation };
      current = { generation: current.generation + 1, content };
      return { kind: "accepted", generation: current.generation, hash: content };
    },
    attempt: (documents) => host.apply(documents),
    judged: () => {},
    failed: () => {},
    restored: () => {},
    statistics: () => undefined,
    reportFailed: () => {},
    settled: (sources) => {
      saved = sources;
    },
    now: () => 0,
    startTimer: () => () => {},
  };
  const registration = (one: string): Registration => ({
    provider: puppet(one, sinks, told),
    reads: one,
    precedence: precedences[one] ?? 0,
    mayUseSecret: () => true,
  });
  const registry = createProviderRegistry(names.map(registration), host, before);
  await registry.start();
  return { registry, sinks, told, inUse: () => current, saved: () => saved, register: (one) => registry.register(registration(one)) };
}

function puppet(one: string, sinks: Map<string, ProviderSink>, told: string[]): Provider {
  return {
    name: one,
    start: async (sink) => {
      sinks.set(one, sink);
      sink.failed(new Error("away"));
    },
    rejudged: (verdict) => void told.push(toldText(one, verdict)),
    close: async () => void sinks.delete(one),
  };
}

/** Does it to both. Returns the next stage after a restart. */
async function act(action: Action, model: Model, stage: Stage, world: World): Promise<Stage | undefined> {
  switch (action.does) {
    case "deliver": {
      const deliveries = new Map(action.deliveries.filter(([one]) => stage.sinks.has(one)));
      if (deliveries.size === 0) return undefined;
      model.deliver([...deliveries]);
      for (const [one, text] of deliveries) {
        const told = (verdict: Verdict): void => void stage.told.push(toldText(one, verdict));
        // What nobody judges any more is rejected: its provider is gone.
        stage.sinks
          .get(one)
          ?.update([{ uri: one, text }], text)
          .then(told, () => {});
      }
      return undefined;
    }
    case "fail":
      return void stage.sinks.get(action.name)?.failed(new Error("away"));
    case "register":
      if (stage.sinks.has(action.name)) return undefined;
      model.register(action.name, precedences[action.name] ?? 0);
      return void (await stage.register(action.name));
    case "unregister":
      if (!stage.sinks.has(action.name)) return undefined;
      expect((await stage.registry.unregister(action.name))?.kind !== "refused").toBe(model.unregister(action.name));
      return undefined;
    case "rollback": {
      const generation = model.generation - action.back;
      model.rollback(generation);
      return void (await stage.registry.rollback(generation));
    }
    case "refresh":
      // It would wait for a first delivery.
      if (!model.isInForce) return undefined;
      model.refresh();
      return void (await stage.registry.refresh());
    case "secret":
      world.secret = !world.secret;
      return undefined;
    case "restart":
      return restart(model, stage, world);
    default:
      return action satisfies never;
  }
}

async function restart(model: Model, stage: Stage, world: World): Promise<Stage> {
  const names = [...stage.sinks.keys()];
  await stage.registry.close();
  model.restart();
  return start(names, world, stage.saved(), stage.inUse().generation);
}

function seenOf({ registry, inUse, told, saved }: Stage) {
  return {
    ...inUse(),
    told: once(told),
    providers: registry.state().map(({ name: one, version, delivered, held }) => ({ name: one, version, delivered, held })),
    kept: registry.kept().map(({ generation }) => generation),
    saved: saved()?.map(({ name: one, version, heldBack }) => ({ name: one, word: version, isHeld: heldBack !== undefined })),
  };
}

function expectedOf({ generation, content, told, providers, kept, saved }: Model) {
  return {
    generation,
    content,
    told: once(told),
    providers: providers.map(({ name: one, inForce, delivered, held }) => ({
      name: one,
      version: inForce,
      delivered,
      held: delivered !== undefined && delivered === held,
    })),
    kept: kept.map((one) => one.generation),
    saved: saved?.map(({ name: one, word: text, held }) => ({ name: one, word: text, isHeld: held !== undefined })),
  };
}

const where = { position: { uri: "a", line: 1, column: 1 }, path: "" };
const refusal = problem("no-configuration", where, {});
const hanging = problem("policy-create-timeout", where, { step: "s", policy: "p@1.0.0", timeoutMs: 1 });
const newcomer = (one: string) => ({ name: one, precedence: precedences[one] ?? 0 });
const toldText = (one: string, verdict: Verdict): string => `${one} ${outcomeOf(verdict)}`;

/** Of several deliveries that are judged together each has the same verdict. */
const once = (told: readonly string[]): readonly string[] => [...new Set(told)].toSorted();

/** The precedence is what the documents say, not what the test knows. */
function wordsOf(documents: readonly SourceDocument[]): Words {
  return documents.map(({ text, origin }) => ({ name: origin?.provider ?? "", precedence: origin?.precedence ?? -1, word: text }));
}
