import { expect, test } from "vitest";
import { failureCatalogue } from "../../src/errors.ts";
import { createFailureCounters } from "../../src/observe/failure-counters.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { parseMetrics } from "./parse-metrics.ts";

test("each code has a series from the start, and nothing else ever gets one", () => {
  const codes = Object.keys(failureCatalogue);
  const counters = createFailureCounters(codes);
  for (const code of ["identity-missing", "identity-missing", "made-up", "__proto__"]) counters.count(code);
  const metrics = createMetrics();
  metrics.register(counters.families);
  const samples = parseMetrics(metrics.expose()).get("policy_engine_failures_total")?.samples ?? [];
  expect(samples.map(({ labels }) => labels.code)).toEqual(codes.toSorted());
  expect(samples.filter(({ value }) => value > 0)).toMatchObject([{ labels: { code: "identity-missing" }, value: 2 }]);
});
