/** A log file that is a pipe which nobody reads, and a collector that takes questions and never answers: no exchange may notice. */
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readMetrics } from "../support/admin.ts";
import { listen } from "../support/listen.ts";
import { startTestStage } from "../support/test-stage.ts";
import { startTraffic } from "../support/traffic.ts";

const policies = `
version: 1
chains:
  stamps: { steps: [{ policy: set-header@2, parameters: { request: [{ set: { name: x-stamp, value: seen } }] } }] }
routes: { orders: stamps }
`;

/** More than a pipe of 64 KiB takes, at about 400 bytes a line. */
const exchanges = 1_000;

test("traffic goes on, what waits is counted, and the engine ends in time", async () => {
  const { path: folder, remove } = await temporaryFolder();
  onTestFinished(remove);
  const pipe = join(folder, "decisions");
  execFileSync("mkfifo", [pipe]);
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reader));
  let asked = 0;
  const collector = await listen(
    createServer(() => {
      asked += 1;
    }),
  );
  onTestFinished(collector.close);
  const stage = await startTestStage({
    policies,
    settings: (settings) =>
      Object.entries({
        decisionLog: { to: `file:${pipe}`, sample: 1 },
        traces: { to: `otlp:${collector.origin}` },
        shutdown: { drainDelay: "0s", grace: "5s" },
      }).reduce((data, [key, value]) => replaceAt(data, [key], value), settings),
    bootstrap: (bootstrap) =>
      replaceAt(bootstrap, [...envoyPlaces.connectionManager, "tracing"], {
        random_sampling: { value: 100 },
        provider: {
          name: "envoy.tracers.opentelemetry",
          typed_config: { "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig", service_name: "front" },
        },
      }),
  });
  onTestFinished(stage.close);

  const traffic = startTraffic({ port: stage.envoy.port, clients: 4, next: () => ({ path: "/orders" }) });
  await waitFor({ what: "the traffic", timeoutMs: 40_000 }, async () => (traffic.results.length >= exchanges ? true : undefined));
  const results = await traffic.stop();
  const wrong = results.filter((result) => result.kind === "broken" || result.response.status !== 200);
  expect(wrong).toEqual([]);
  expect(JSON.stringify(stage.upstream.requests.at(-1))).toContain("x-stamp");

  const sample = await readMetrics(stage.engine);
  const waiting = (sink: string): number => sample(`policy_engine_records_waiting{sink="${sink}"}`);
  const dropped = (sink: string): number => sample(`policy_engine_records_dropped_total{sink="${sink}"}`);
  expect(asked).toBeGreaterThan(0);
  expect(waiting("decisions")).toBeGreaterThan(0);
  // Each exchange has a span, and so has its step.
  expect(waiting("spans") + dropped("spans")).toBeGreaterThan(exchanges);

  const began = performance.now();
  expect(await stage.engine.stop()).toMatchObject({ code: 0 });
  // At most the grace period, and what writes that still wait may take; a kill would come at 10 s.
  expect(performance.now() - began).toBeLessThan(9_000);
});
