import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import type { ClientRequest } from "../../scripts/processes/send.ts";
import type { Engine } from "../../scripts/processes/start-engine.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "../../src/generated/proto/grpc/health/v1/health.ts";
import { readiness, readMetrics } from "../support/admin.ts";
import { grpcHealth } from "../support/grpc-health.ts";
import { startTestStage } from "../support/test-stage.ts";
import { notAnswered, startTraffic, type Traffic } from "../support/traffic.ts";

const policies = `
version: 1
chains:
  one-answer: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: seen }] } }] }
  two-answers: { steps: [{ policy: set-header@1, parameters: { response: [{ name: x-stamp, set: seen }] } }] }
routes: { orders: two-answers, catalogue-v1: one-answer }
`;

/** The defaults of the settings. */
const drainDelayMs = 3_000;
const graceMs = 30_000;

const quick = [{ path: "/v1/catalogue" }, { path: "/orders" }, { path: "/orders", headers: { "x-answer": '{"delayMs":100}' } }];
/** Open for longer than the drain delay: at SIGTERM, at GOAWAY and after it. */
const slow = [{ path: "/orders", headers: { "x-answer": `{"delayMs":${drainDelayMs + 1_000}}` } }];

const shutdown = { drainDelay: `${drainDelayMs}ms`, grace: `${graceMs}ms` };

let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({
    policies,
    engines: ["alpha", "beta"],
    settings: (settings) => replaceAt(settings, ["shutdown"], shutdown),
  });
  return () => stage.close();
});

test("SIGTERM under traffic, one engine after the other: no request is lost, and each engine ends in order", async () => {
  const traffic = send(quick, 8);
  const slowTraffic = send(slow, 16);
  const [alpha, beta] = stage.engines;
  if (alpha === undefined || beta === undefined) throw new Error("the stage has two engines");
  await busy(alpha);
  await busy(beta);

  await terminate(alpha, "alpha", traffic);
  await busy(await stage.startAgain(alpha));
  await terminate(beta, "beta", traffic);

  const results = [...(await traffic.stop()), ...(await slowTraffic.stop())];
  expect(notAnswered(results, 200)).toEqual([]);
  expect(results.length).toBeGreaterThan(1_000);
}, 60_000);

function send(requests: readonly ClientRequest[], clients: number): Traffic {
  let sent = 0;
  const traffic = startTraffic({ port: stage.envoy.port, clients, next: () => requests[sent++ % requests.length] ?? { path: "/" } });
  onTestFinished(() => void traffic.stop());
  return traffic;
}

async function terminate(engine: Engine, name: string, traffic: Traffic): Promise<void> {
  const socket = join(stage.folder, `${name}.sock`);
  expect([await grpcHealth(socket), await readiness(engine)]).toEqual([ServingStatus.SERVING, 200]);
  const { exited, signal } = engine.process;
  const started = performance.now();
  signal("SIGTERM");

  await waitFor({ what: `${name} to be not ready`, timeoutMs: 1_000 }, async () => ((await readiness(engine)) === 503 ? true : undefined));
  expect(await grpcHealth(socket)).toBe(ServingStatus.NOT_SERVING);
  expect(performance.now() - started).toBeLessThan(1_000);
  // Envoy does not know yet: what it still sends is served.
  await busy(engine);

  expect(await exited).toEqual({ code: 0, signal: null });
  const tookMs = performance.now() - started;
  expect(tookMs).toBeGreaterThanOrEqual(drainDelayMs);
  expect(tookMs).toBeLessThan(drainDelayMs + 10_000);

  // The other one carries the traffic alone.
  const before = traffic.results.length;
  await waitFor({ what: "answers without it", timeoutMs: 5_000 }, () => (traffic.results.length > before + 50 ? true : undefined));
}

/** Waits until the engine has taken part in more exchanges than now. */
async function busy(engine: Engine): Promise<void> {
  const count = async (): Promise<number> => {
    const metrics = await readMetrics(engine);
    return metrics('policy_engine_exchanges_total{outcome="continued"}') + metrics("policy_engine_exchanges_open");
  };
  const before = await count();
  await waitFor({ what: "exchanges", timeoutMs: 5_000 }, async () => ((await count()) > before + 5 ? true : undefined));
}
