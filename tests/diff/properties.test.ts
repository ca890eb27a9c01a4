/** A diff says all that has changed and nothing else: what it says, done to the old configuration, makes the new one. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { checkConfig } from "../../src/config/check.ts";
import { type ShownChain, type ShownConfig, type ShownStep, showConfig } from "../../src/config/shown-config.ts";
import type { CheckedConfig } from "../../src/config/types.ts";
import type { ChainChange } from "../../src/diff/diff-chains.ts";
import { type ConfigDiff, countDifferences, diffConfigs } from "../../src/diff/diff-configs.ts";
import type { StepChange } from "../../src/diff/diff-steps.ts";
import { diffValues, type ValueChange } from "../../src/diff/diff-values.ts";
import { formatDiff } from "../../src/diff/format-diff.ts";
import { testEnvironment, testSchemas } from "../config/support.ts";

const environment = testEnvironment(testSchemas());
const runs = { seed: 5, numRuns: 100 };

const parameters = fc.record(
  {
    level: fc.constantFrom("low", "high"),
    count: fc.integer({ min: 1, max: 3 }),
    list: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
    labels: fc.dictionary(fc.constantFrom("x", "y"), fc.constantFrom("1", "2")),
    mixes: fc.array(fc.oneof(fc.constantFrom("a", "b"), fc.array(fc.constantFrom("a", "b"), { maxLength: 2 })), { maxLength: 4 }),
  },
  { requiredKeys: [] },
);
const policy = fc.oneof(
  fc.record({ policy: fc.constant("everything@1"), parameters }),
  fc.record({ policy: fc.constant("gate@1"), parameters: fc.constant({ key: "${env:KEY}" }) }),
);
const step = fc
  .tuple(
    policy,
    fc.record(
      {
        when: fc.constantFrom("request.path == '/'", "request.method == 'GET'"),
        timeout: fc.constantFrom("1s", "200ms"),
        onUpgrade: fc.constantFrom("deny", "skip"),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([one, rest]) => ({ ...one, ...rest, acknowledge: [{ code: "protects-skip", reason: "a test" }] }));
const steps = fc
  .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d", "e"), step), { selector: ([name]) => name, maxLength: 5 })
  .map((named) => named.map(([name, one]) => ({ name, ...one })));
const chain = fc.record(
  {
    steps,
    description: fc.constantFrom("one", "two"),
    rawPath: fc.boolean(),
    labels: fc.dictionary(fc.constantFrom("k", "l"), fc.constantFrom("1", "2")),
  },
  { requiredKeys: ["steps"] },
);
const config = fc.record({
  version: fc.constant(1),
  // Every chain is there, so that every route finds its own.
  chains: fc.record({ p: chain, q: chain, r: chain }),
  routes: fc.dictionary(fc.constantFrom("one", "two", "a b", "é"), fc.constantFrom("p", "q", "r", [])),
  unmatched: fc.constantFrom("deny", "pass", "q"),
});

function check(document: unknown): CheckedConfig {
  const checked = checkConfig([{ uri: "config.yaml", text: stringify(document, { aliasDuplicateObjects: false }) }], environment);
  if ("problems" in checked) throw new Error(JSON.stringify(checked.problems));
  return checked.config;
}

function diff(from: CheckedConfig, to: CheckedConfig): ConfigDiff {
  return diffConfigs({ config: from, demands: new Map() }, { config: to, demands: new Map() }, environment.envoy);
}

describe("a diff", () => {
  test("of a configuration with itself is empty, and so is one with what is shown of it, in any order of keys", () => {
    fc.assert(
      fc.property(config, (document) => {
        const one = check(document);
        const shown = check(reversed(showConfig(one)));
        expect(countDifferences(diff(one, one))).toBe(0);
        expect(diff(one, shown)).toEqual({ protection: [], routes: [], unmatched: [], chains: [], envoy: [] });
        expect(showConfig(shown)).toEqual(showConfig(one));
        expect(formatDiff(diff(one, shown))).toBe("");
      }),
      runs,
    );
  });

  test("done to the old configuration makes the new one", () => {
    fc.assert(
      fc.property(config, config, (before, after) => {
        const [from, to] = [check(before), check(after)];
        const difference = diff(from, to);
        expect(applied(difference, showConfig(from))).toEqual(showConfig(to));
        expect(JSON.parse(JSON.stringify(difference))).toEqual(difference);
      }),
      runs,
    );
  });

  test("moves no more steps than it must", () => {
    const names = fc.uniqueArray(fc.constantFrom(..."abcdefg"), { minLength: 2, maxLength: 7 });
    const document = (order: readonly string[]) => ({
      version: 1,
      chains: { p: { steps: order.map((name) => ({ name, policy: "everything@1" })) } },
      routes: { one: "p" },
    });
    fc.assert(
      fc.property(
        names.chain((order) => fc.tuple(fc.constant(order), fc.nat(order.length - 1), fc.nat(order.length - 1))),
        ([order, from, to]) => {
          const moved = order.toSpliced(from, 1);
          moved.splice(to, 0, order[from] ?? "");
          const [change] = diff(check(document(order)), check(document(moved))).chains;
          expect(change?.kind === "changed" ? change.steps.length : 0).toBe(from === to ? 0 : 1);
        },
      ),
      runs,
    );
  });

  test("calls every route out that a gate no longer guards", () => {
    fc.assert(
      fc.property(config, config, (before, after) => {
        const [from, to] = [check(before), check(after)];
        const { protection } = diff(from, to);
        for (const route of from.routes.keys()) {
          const lost = gates(from, route) > gates(to, route);
          const said = protection.some(({ loss, routes }) => loss.kind === "removed" && routes?.includes(route) === true);
          expect({ route, said }).toEqual({ route, said: lost });
        }
      }),
      runs,
    );
  });
});

/** How many gates stand before a route; denied is as if there were any number of them. */
function gates({ routes, unmatched, chains }: CheckedConfig, route: string): number {
  if (!routes.has(route) && unmatched.kind === "deny") return Number.POSITIVE_INFINITY;
  const name = routes.has(route) ? routes.get(route) : unmatched.kind === "chain" ? unmatched.chain : undefined;
  return chains.get(name ?? "")?.steps.filter(({ release }) => release.manifest.name === "gate").length ?? 0;
}

test("the difference of two values, done to the old one, makes the new one", () => {
  // Lists of few different items, so that two of them have a lot in common.
  const item = fc.constantFrom<unknown>(0, 1, [0], [0, 1], { a: 0 }, { a: 1 }).map((one) => structuredClone(one));
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.array(item, { maxLength: 5 }));
  fc.assert(
    fc.property(value, value, (from, to) => {
      fc.pre(!JSON.stringify([from, to]).includes("__proto__"));
      expect(withChanges({ root: from }, diffValues("root", from, to))).toEqual({ root: to });
      expect(diffValues("root", from, structuredClone(from))).toEqual([]);
    }),
    { ...runs, numRuns: 1000 },
  );
});

function applied({ routes, unmatched, chains }: ConfigDiff, shown: ShownConfig): ShownConfig {
  const routesAfter = new Map(Object.entries(shown.routes));
  for (const change of routes) {
    if (change.kind === "removed") routesAfter.delete(change.route);
    else routesAfter.set(change.route, change.to);
  }
  const chainsAfter = new Map(Object.entries(shown.chains));
  for (const change of chains) applyChain(change, chainsAfter);
  return {
    version: 1,
    chains: Object.fromEntries(chainsAfter),
    routes: Object.fromEntries(routesAfter),
    unmatched: unmatched[0]?.to ?? shown.unmatched,
  };
}

function applyChain(change: ChainChange, chains: Map<string, ShownChain>): void {
  if (change.kind === "changed") {
    const { steps: before = [], ...others } = chains.get(change.chain) ?? {};
    const after = change.steps.reduce(withStep, before);
    chains.set(change.chain, { ...withChanges(others, change.changes), steps: after } as ShownChain);
  } else if (change.kind === "added") chains.set(change.chain, change.definition);
  else chains.delete(change.chain);
}

function withStep(steps: readonly ShownStep[], change: StepChange): readonly ShownStep[] {
  const old = steps.find(({ name }) => name === change.step);
  if (change.kind === "changed") {
    return steps.map((one) => (one === old ? (withChanges(one, change.changes) as unknown as ShownStep) : one));
  }
  const rest = steps.filter((one) => one !== old);
  const placed = change.kind === "added" ? change.definition : change.kind === "moved" ? old : undefined;
  if (placed === undefined) return rest;
  const index = "after" in change ? rest.findIndex(({ name }) => name === change.after) : -1;
  return rest.toSpliced(index + 1, 0, placed);
}

/** What is gone from the end to the start, then what is new from the start to the end: so each index is right when its turn comes. */
function withChanges(value: object, changes: readonly ValueChange[]): object {
  const after: object = structuredClone(value);
  const gone = changes.filter((change) => !("to" in change)).toReversed();
  for (const { path } of gone)
    edit(after, path, (holder, key) => (Array.isArray(holder) ? holder.splice(Number(key), 1) : Reflect.deleteProperty(holder, key)));
  for (const change of changes.filter((one) => "to" in one)) {
    const isNew = !("from" in change);
    edit(after, change.path, (holder, key) =>
      Array.isArray(holder) && isNew ? holder.splice(Number(key), 0, change.to) : Reflect.set(holder, key, change.to),
    );
  }
  return after;
}

function edit(value: object, path: string, change: (holder: object, key: string) => unknown): void {
  const keys = [...path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([\w$-]+)/g)].map(([, index, quoted, plain]) =>
    String(index ?? (quoted === undefined ? plain : JSON.parse(quoted))),
  );
  let holder = value;
  for (const key of keys.slice(0, -1)) holder = Reflect.get(holder, key);
  change(holder, keys.at(-1) ?? "");
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  );
}
