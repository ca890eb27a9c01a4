import fc from "fast-check";
import { expect, test } from "vitest";
import { type HeaderChanges, type HeaderEntry, HeaderStore } from "../../src/worker/header-store.ts";
import { Journal } from "../../src/worker/journal.ts";
import { HeaderLines } from "../../src/worker/received-headers.ts";

const name = fc.constantFrom("a", "b", "set-cookie", ":path");
const value = fc.uint8Array({ maxLength: 3 });
const received = fc.array(fc.record({ name, value }), { maxLength: 6 });
const operation = fc.oneof(
  fc.record({ do: fc.constant("set" as const), name, values: fc.array(value, { maxLength: 3 }) }),
  fc.record({ do: fc.constant("append" as const), name, value }),
  fc.record({ do: fc.constant("delete" as const), name }),
);
type Operation = typeof operation extends fc.Arbitrary<infer One> ? One : never;

function perform(store: HeaderStore, operation: Operation): void {
  switch (operation.do) {
    case "set":
      return store.change(operation.name, operation.values);
    case "append":
      return store.change(operation.name, [...store.values(operation.name), operation.value]);
    case "delete":
      return store.change(operation.name, []);
  }
}

/** Envoy 1.36: removals first, then each value in order; without `append` it replaces every line of its name. */
function envoyApplies(lines: readonly HeaderEntry[], { remove, set }: HeaderChanges): readonly HeaderEntry[] {
  let result = lines.filter((line) => !remove.includes(line.name));
  for (const { name, value, append } of set) {
    if (!append) result = result.filter((line) => line.name !== name);
    result = [...result, { name, value }];
  }
  return result;
}

const byName = (lines: readonly HeaderEntry[]): Record<string, string[]> => {
  const groups: Record<string, string[]> = {};
  for (const { name, value } of lines) {
    groups[name] ??= [];
    groups[name].push(Buffer.from(value).toString("hex"));
  }
  return groups;
};

test("the view is the wire: what stands in the store is what Envoy has after the changes, however often it is told", () => {
  fc.assert(
    fc.property(received, fc.array(fc.array(operation, { maxLength: 4 }), { maxLength: 3 }), (lines, rounds) => {
      const store = new HeaderStore(new HeaderLines(lines), new Journal());
      let envoy: readonly HeaderEntry[] = lines;
      for (const operations of rounds) {
        for (const one of operations) perform(store, one);
        envoy = envoyApplies(envoy, store.takeChanges());
        expect(byName(envoy)).toEqual(byName(store.entries()));
      }
      expect(store.takeChanges()).toEqual({ remove: [], set: [] });
      for (const { name } of [...lines, ...store.entries()]) {
        expect(store.isChanged(name)).toBe(byName(lines)[name]?.join() !== byName(store.entries())[name]?.join());
      }
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("once sealed it takes only what makes no difference", () => {
  const store = new HeaderStore(new HeaderLines([{ name: "x-a", value: Buffer.from("1") }]), new Journal());
  store.seal();
  store.change("x-a", [Buffer.from("1")]);
  store.change("x-b", []);
  expect(() => store.change("x-a", [])).toThrow(TypeError);
  expect(() => store.change("x-a", [Buffer.from("1"), Buffer.from("2")])).toThrow(TypeError);
  expect(() => store.change("x-b", [Buffer.from("1")])).toThrow(TypeError);
  expect(store.takeChanges()).toEqual({ remove: [], set: [] });
});

test("a step that is rolled back leaves no trace", () => {
  fc.assert(
    fc.property(received, fc.array(operation, { maxLength: 5 }), fc.array(operation, { maxLength: 5 }), (lines, kept, undone) => {
      const journal = new Journal();
      const store = new HeaderStore(new HeaderLines(lines), journal);
      for (const one of kept) perform(store, one);
      const entries = byName(store.entries());
      store.takeChanges();
      const mark = journal.mark();
      for (const one of undone) perform(store, one);
      journal.rollBack(mark);
      expect({ entries: byName(store.entries()), changes: store.takeChanges() }).toEqual({ entries, changes: { remove: [], set: [] } });
    }),
    { seed: 2, numRuns: 2000 },
  );
});

test("of many headers a step's changes are found and taken back as of few", () => {
  const names = Array.from({ length: 40 }, (_, index) => `x-${index}`);
  const bytes = (text: string) => [Buffer.from(text)];
  const journal = new Journal();
  const store = new HeaderStore(new HeaderLines(names.slice(20).map((name) => ({ name, value: Buffer.from("sent") }))), journal);
  const marks = names.map((name, index) => {
    const mark = journal.mark();
    store.change(name, index % 3 === 0 ? [] : bytes(name));
    store.change(names[0] ?? "", bytes(String(index)));
    return mark;
  });
  expect(names.map((name) => store.text(name))).toEqual([
    "39",
    ...names.slice(1).map((name, index) => (index % 3 === 2 ? undefined : name)),
  ]);
  for (const [index, mark] of [...marks.entries()].reverse()) {
    journal.rollBack(mark);
    expect(store.text(names[index] ?? "")).toBe(index < 20 ? undefined : "sent");
    expect(store.text(names[0] ?? "")).toBe(index === 0 ? undefined : String(index - 1));
  }
  expect(store.takeChanges()).toEqual({ remove: [], set: [] });
});

test("headers that nobody changed, or changed back, are not sent again", () => {
  fc.assert(
    fc.property(received, (lines) => {
      const store = new HeaderStore(new HeaderLines(lines), new Journal());
      for (const { name } of lines) store.change(name, [...store.values(name)]);
      expect(store.takeChanges()).toEqual({ remove: [], set: [] });
    }),
    { seed: 3, numRuns: 500 },
  );
});
