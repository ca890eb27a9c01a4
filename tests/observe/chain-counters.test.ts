import { expect, test } from "vitest";
import { createChainCounters } from "../../src/observe/chain-counters.ts";

test("a chain counts on while anybody holds it, and anew when nobody does", () => {
  const counters = createChainCounters();
  const value = (): number | undefined => {
    const [family] = counters.families();
    return family !== undefined && "samples" in family ? family.samples[0]?.value : undefined;
  };
  const first = counters.hold("orders", 1_000);
  first.exchanges += 2;
  const second = counters.hold("orders", 2_000);
  second.exchanges += 1;
  counters.release("orders");
  expect([value(), second.since]).toEqual([3, 1_000]);
  counters.release("orders");
  expect(value()).toBe(undefined);
  expect(counters.hold("orders", 3_000)).toEqual({ exchanges: 0, since: 3_000 });
});
