import fc from "fast-check";
import { expect, test } from "vitest";
import { type HeaderChanges, type HeaderEntry, HeaderStore } from "../../src/worker/header-store.ts";
import { Journal } from "../../src/worker/journal.ts";

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

test("the view is the wire: what stands in the store is what Envoy has after the changes", () => {
  fc.assert(
    fc.property(received, fc.array(operation, { maxLength: 8 }), (lines, operations) => {
      const store = new HeaderStore(lines, new Journal());
      for (const one of operations) perform(store, one);
      expect(byName(envoyApplies(lines, store.changes()))).toEqual(byName(store.entries()));
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("a step that is rolled back leaves no trace", () => {
  fc.assert(
    fc.property(received, fc.array(operation, { maxLength: 5 }), fc.array(operation, { maxLength: 5 }), (lines, kept, undone) => {
      const journal = new Journal();
      const store = new HeaderStore(lines, journal);
      for (const one of kept) perform(store, one);
      const before = { entries: byName(store.entries()), changes: store.changes() };
      const mark = journal.mark();
      for (const one of undone) perform(store, one);
      journal.rollBack(mark);
      expect({ entries: byName(store.entries()), changes: store.changes() }).toEqual(before);
    }),
    { seed: 2, numRuns: 2000 },
  );
});

test("headers that nobody changed, or changed back, are not sent again", () => {
  fc.assert(
    fc.property(received, (lines) => {
      const store = new HeaderStore(lines, new Journal());
      for (const { name } of lines) store.change(name, [...store.values(name)]);
      expect(store.changes()).toEqual({ remove: [], set: [] });
    }),
    { seed: 3, numRuns: 500 },
  );
});
