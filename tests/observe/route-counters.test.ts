import fc from "fast-check";
import { expect, test } from "vitest";
import { exchangeEnds } from "../../src/kernel/exchange-counters.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { createRouteCounters, type InUse } from "../../src/observe/route-counters.ts";
import { parseMetrics } from "./parse-metrics.ts";

const inUse = (routes: readonly string[], chains: readonly string[]): InUse => ({
  config: { routes: new Set(routes) },
  chains: new Set(chains),
});

const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, nth) => `${name}-${nth}`);

function started(first: InUse | undefined) {
  let current = first;
  const counters = createRouteCounters(exchangeEnds, () => current);
  const metrics = createMetrics();
  metrics.register(counters.families);
  return {
    count: counters.count,
    use: (next: InUse) => {
      current = next;
    },
    /** `route chain outcome` to the count, of those that are not 0; and how many series there are. */
    read: () => {
      const samples = parseMetrics(metrics.expose()).get("policy_engine_route_exchanges_total")?.samples ?? [];
      const counted = samples.filter(({ value }) => value > 0);
      return {
        series: samples.length,
        counts: Object.fromEntries(counted.map(({ labels, value }) => [Object.values(labels).join(" "), value])),
      };
    },
  };
}

test("exchanges are counted by route, chain and how they ended", () => {
  const { count, read } = started(inUse(["orders", "health"], ["api"]));
  count("orders", "api", "continued");
  count("orders", "api", "continued");
  count("orders", "api", "replied");
  count("health", undefined, "passed");
  expect(read()).toEqual({ series: 12, counts: { "orders api continued": 2, "orders api replied": 1, "health  passed": 1 } });
});

test("before there is a configuration nothing has a name", () => {
  const { count, read } = started(undefined);
  count("orders", "api", "failed");
  expect(read()).toEqual({ series: 6, counts: { "  failed": 1 } });
});

test("a thousand routes have their series, and whatever names come on the wire, no more", () => {
  const routes = numbered("route", 1000);
  const { count, read } = started(inUse(routes, ["api"]));
  for (const route of routes) count(route, "api", "continued");
  const full = read().series;
  expect(full).toBe(1000 * exchangeEnds.length);
  const hostile = fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.constantFrom("__proto__", 'a"} 1\n', "constructor", "\\"));
  fc.assert(
    fc.property(hostile, fc.option(hostile, { nil: undefined }), (route, chain) => {
      count(route, chain, "failed");
      return read().series <= full + exchangeEnds.length;
    }),
    { seed: 11, numRuns: 30 },
  );
  expect(read().counts["  failed"]).toBe(30);
});

test("what goes out of the configuration leaves the metrics, what stays counts on", () => {
  const { count, use, read } = started(inUse(["orders", "old"], ["api", "gone"]));
  count("orders", "api", "continued");
  count("orders", "gone", "continued");
  count("old", "api", "continued");
  use(inUse(["orders"], ["api"]));
  count("orders", "api", "continued");
  // An exchange of the generation before, which ends now.
  count("old", "gone", "replied");
  expect(read().counts).toEqual({ "orders api continued": 2, "  replied": 1 });
});

test("a new set of names with each configuration leaves nothing behind, scraped or not", () => {
  const { count, use, read } = started(undefined);
  for (let nth = 0; nth < 200; nth++) {
    const names = numbered(`g${nth}`, 10);
    use(inUse(names, names));
    for (const name of names) count(name, name, "continued");
  }
  expect(read().series).toBe(10 * exchangeEnds.length);
});
