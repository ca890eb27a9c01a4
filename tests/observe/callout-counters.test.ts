import { createServer } from "node:http";
import { expect, test } from "vitest";
import { countedFetch } from "../../src/engine/counted-fetch.ts";
import { outgoingFetch } from "../../src/engine/outgoing-fetch.ts";
import { type CalloutCounters, calloutKeysMax, createCalloutCounters } from "../../src/observe/callout-counters.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { listen } from "../support/listen.ts";
import { type ParsedSample, parseMetrics } from "./parse-metrics.ts";

const step = { chain: "api", step: "auth", policy: "jwt-validation@2.0.0" };

function samples(counters: CalloutCounters, family: string): readonly ParsedSample[] {
  const metrics = createMetrics();
  metrics.register(counters.families);
  return parseMetrics(metrics.expose()).get(family)?.samples ?? [];
}

test("real calls are counted by how they ended, and go through as they were", async () => {
  const counters = createCalloutCounters();
  const server = createServer((request, response) => {
    if (request.url === "/stuck") return;
    response.writeHead(Number(request.url?.slice(1))).end("answer");
  });
  const { origin, close } = await listen(server);
  const fetch = countedFetch(
    ({ url, init }) => outgoingFetch(url, init),
    counters,
    () => performance.now(),
  );
  try {
    for (const status of [200, 404, 503]) {
      const response = await fetch({ step, key: "keys", url: `${origin}/${status}`, init: {} });
      expect([response.status, await response.text()]).toEqual([status, "answer"]);
    }
    const signal = AbortSignal.timeout(20);
    await expect(fetch({ step, key: "keys", url: `${origin}/stuck`, init: { signal } })).rejects.toThrow("GET http://127.0.0.1");
  } finally {
    await close();
  }
  await expect(fetch({ step, key: "keys", url: `${origin}/200`, init: {} })).rejects.toThrow("ECONNREFUSED");
  const counts = samples(counters, "policy_engine_callouts_total").map(({ labels, value }) => [
    labels.policy,
    labels.key,
    labels.outcome,
    value,
  ]);
  expect(counts).toEqual(["aborted", "failed", "ok", "status-4xx", "status-5xx"].map((outcome) => [step.policy, "keys", outcome, 1]));
  const total = samples(counters, "policy_engine_callout_duration_seconds").find(({ name }) => name.endsWith("_count"));
  expect(total?.value).toBe(5);
});

test("however many keys a policy makes up, its series are so many", () => {
  const counters = createCalloutCounters();
  for (let nth = 0; nth < 1000; nth++) counters.count(step.policy, `key ${nth}`, "ok", nth);
  const keys = new Set(samples(counters, "policy_engine_callouts_total").map(({ labels }) => labels.key));
  expect([keys.size, keys.has("other"), keys.has("key 0")]).toEqual([calloutKeysMax + 1, true, true]);
  const counted = samples(counters, "policy_engine_callout_duration_seconds").filter(({ name }) => name.endsWith("_count"));
  expect(counted.reduce((sum, { value }) => sum + value, 0)).toBe(1000);
});
