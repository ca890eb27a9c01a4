/** What policies show of themselves: counters and probes. */
import { describe, expect, test } from "vitest";
import { type Collector, createMetrics } from "../../src/observe/metrics.ts";
import { createPolicyCounters } from "../../src/observe/policy-counters.ts";
import { createProbes } from "../../src/observe/probes.ts";
import { parseMetrics } from "./parse-metrics.ts";

const step = { chain: "api", step: "auth", policy: "jwt@1.0.0" };
const other = { ...step, chain: "web" };

function values(collect: Collector, family: string): Readonly<Record<string, number>> {
  const metrics = createMetrics();
  metrics.register(collect);
  const samples = parseMetrics(metrics.expose()).get(family)?.samples ?? [];
  return Object.fromEntries(samples.map(({ labels, value }) => [labels.chain, value]));
}

describe("counters of policies", () => {
  test("grow by one or by a count, under the step's labels, several steps in one family", () => {
    const counters = createPolicyCounters();
    const first = counters.create(step, "hits", "Hits.");
    counters.create(other, "hits", "Hits.").add(5);
    first.add(1);
    first.add(2.5);
    expect(values(counters.families, "policy_engine_policy_hits_total")).toEqual({ api: 3.5, web: 5 });
  });

  test("go on when another instance of the step takes over, and are gone with the last", () => {
    const counters = createPolicyCounters();
    const old = counters.create(step, "hits", "Hits.");
    old.add(1);
    const fresh = counters.create(step, "hits", "Hits.");
    old.close();
    fresh.add(1);
    expect(values(counters.families, "policy_engine_policy_hits_total")).toEqual({ api: 2 });
    fresh.close();
    expect(counters.families()).toEqual([]);
    counters.create(step, "hits", "Hits.").add(1);
    expect(values(counters.families, "policy_engine_policy_hits_total")).toEqual({ api: 1 });
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("adding %d is refused", (count) => {
    const counter = createPolicyCounters().create(step, "hits", "Hits.");
    expect(() => counter.add(count)).toThrow(RangeError);
  });
});

describe("probes", () => {
  test("show what the step says now, cut to a line's length", () => {
    const probes = createProbes();
    let ready = false;
    probes.add(step, "keys", () => ({ ready, detail: "d".repeat(1000) }));
    expect(probes.states()).toEqual([{ ...step, name: "keys", ready: false, detail: "d".repeat(256) }]);
    expect(values(probes.families, "policy_engine_probe_ready")).toEqual({ api: 0 });
    ready = true;
    expect(values(probes.families, "policy_engine_probe_ready")).toEqual({ api: 1 });
  });

  test("an age is a metric of its own, for those that have one", () => {
    const probes = createProbes();
    probes.add(step, "keys", () => ({ ready: true, detail: "", ageSeconds: 1.5 }));
    probes.add(other, "keys", () => ({ ready: true, detail: "" }));
    expect(Object.values(values(probes.families, "policy_engine_probe_age_seconds"))).toEqual([1.5]);
    expect(probes.states()).toMatchObject([{ ageSeconds: 1.5 }, {}]);
    expect(probes.states()[1]).not.toHaveProperty("ageSeconds");
  });

  test("one that throws is not ready, and takes nobody with it", () => {
    const probes = createProbes();
    probes.add(step, "keys", () => {
      throw new Error("secret");
    });
    probes.add(other, "keys", () => ({ ready: true, detail: "fine" }));
    expect(probes.states()).toMatchObject([{ ready: false, detail: "the probe failed" }, { ready: true }]);
  });

  test("of two instances of a step the newer one speaks; if it goes, the older one again", () => {
    const probes = createProbes();
    probes.add(step, "keys", () => ({ ready: true, detail: "old" }));
    const remove = probes.add(step, "keys", () => ({ ready: false, detail: "new" }));
    expect(probes.states()).toMatchObject([{ detail: "new" }]);
    expect(values(probes.families, "policy_engine_probe_ready")).toEqual({ api: 0 });
    remove();
    expect(probes.states()).toMatchObject([{ detail: "old" }]);
  });
});
