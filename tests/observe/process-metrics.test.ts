import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createMetrics } from "../../src/observe/metrics.ts";
import { buildInfoCollector, collectProcess } from "../../src/observe/process-metrics.ts";
import { eventually } from "../files/recorder.ts";
import { parseMetrics } from "./parse-metrics.ts";

test("the process shows its memory, its time and how late its timers are, the latter since the last scrape", async () => {
  const { collect, stop } = collectProcess();
  const metrics = createMetrics();
  metrics.register(collect);
  const read = (): ((family: string, quantile?: string) => number) => {
    const families = parseMetrics(metrics.expose());
    return (family, quantile) => families.get(family)?.samples.find(({ labels }) => labels.quantile === quantile)?.value ?? Number.NaN;
  };
  try {
    const before = read();
    expect(before("process_resident_memory_bytes")).toBeGreaterThan(10 * 1024 * 1024);
    expect(before("nodejs_heap_used_bytes")).toBeGreaterThan(1024 * 1024);
    expect(before("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(before("process_start_time_seconds")).toBeGreaterThan(Date.now() / 1000 - 3600);

    // What is measured is the time between two timers: the first one after a scrape must have fired.
    await sleep(200);
    const blockedUntil = performance.now() + 300;
    while (performance.now() < blockedUntil);
    await sleep(50);
    const blocked = read()("nodejs_eventloop_lag_seconds", "1");
    expect(blocked).toBeGreaterThan(0.2);
    await eventually("the lag of a quiet time is small again", async () => {
      await sleep(100);
      return read()("nodejs_eventloop_lag_seconds", "1") < blocked / 2;
    });
  } finally {
    stop();
  }
});

test("the build says its version", () => {
  const metrics = createMetrics();
  metrics.register(buildInfoCollector("1.2.3"));
  expect(parseMetrics(metrics.expose()).get("policy_engine_build_info")?.samples).toEqual([
    { name: "policy_engine_build_info", labels: { version: "1.2.3", node: process.versions.node }, value: 1 },
  ]);
});
