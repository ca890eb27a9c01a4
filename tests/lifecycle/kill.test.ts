import { beforeAll, expect, test } from "vitest";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { type ClientResponse, send } from "../../scripts/processes/send.ts";
import type { Engine } from "../../scripts/processes/start-engine.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { startTestStage } from "../support/test-stage.ts";

const policies = `
version: 1
chains:
  one-answer: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: seen }] } }] }
  two-answers: { steps: [{ policy: set-header@1, parameters: { response: [{ name: x-stamp, set: seen }] } }] }
routes: { orders: two-answers, catalogue-v1: one-answer }
`;

const inFlight = 60;
/** Longer than anything here takes: the answer is still to come when the engine is killed. */
const slowly = { "x-answer": '{"delayMs":2000}' };

let stage: Stage;
let engine: Engine;
/** How many of the last requests have been answered. */
let answered = 0;

beforeAll(async () => {
  stage = await startTestStage({ policies });
  engine = stage.engine;
  return () => stage.close();
});

test("kill -9 while requests wait for the engine: every client gets an error, nothing reaches the upstream", async () => {
  const before = stage.upstream.requests.length;
  engine.process.signal("SIGSTOP");
  const answers = sendMany("/v1/catalogue", {});
  await streamsOpen((open) => open >= inFlight);
  engine.process.signal("SIGKILL");
  expect((await answers).map(({ status }) => status)).toEqual(Array(inFlight).fill(503));
  expect(stage.upstream.requests).toHaveLength(before);
  await again();
});

test("kill -9 while the upstream works and a response handler is still to run: no answer passes without it", async () => {
  const before = stage.upstream.requests.length;
  const answers = sendMany("/orders", slowly);
  await upstreamHas(before + inFlight);
  engine.process.signal("SIGKILL");
  for (const { status, headers } of await answers) expect([status, valuesOf(headers, "x-powered-by")]).toEqual([503, []]);
  await again();
});

test("kill -9 while the upstream works and nothing is left to run: every client gets the upstream's answer", async () => {
  const before = stage.upstream.requests.length;
  const answers = sendMany("/v1/catalogue", slowly);
  await upstreamHas(before + inFlight);
  await streamsOpen((open) => open === 0);
  expect(answered, "requests that have ended before their streams to the engine").toBe(0);
  engine.process.signal("SIGKILL");
  expect((await answers).map(({ status }) => status)).toEqual(Array(inFlight).fill(200));
  await again();
});

test("without an engine every request is denied at once", async () => {
  const before = stage.upstream.requests.length;
  engine.process.signal("SIGKILL");
  await engine.process.exited;
  const started = performance.now();
  for (const path of ["/v1/catalogue", "/orders", "/nowhere"]) expect((await send(stage.envoy.port, { path })).status).toBe(503);
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(stage.upstream.requests).toHaveLength(before);
  await again();
});

function sendMany(path: string, headers: Readonly<Record<string, string>>): Promise<readonly ClientResponse[]> {
  answered = 0;
  return Promise.all(
    Array.from({ length: inFlight }, async () => {
      const response = await send(stage.envoy.port, { path, headers });
      answered += 1;
      return response;
    }),
  );
}

/** Waits until Envoy has as many streams to the engine as the condition wants. */
function streamsOpen(enough: (open: number) => boolean): Promise<true> {
  return waitFor({ what: "Envoy's streams to the engine", timeoutMs: 10_000 }, async () => {
    const stats = await stage.envoy.stats("^cluster.policy_engine.upstream_rq_active$");
    return enough(stats.get("cluster.policy_engine.upstream_rq_active") ?? 0) ? true : undefined;
  });
}

function upstreamHas(count: number): Promise<true> {
  return waitFor({ what: `the upstream to have ${count} requests`, timeoutMs: 10_000 }, () =>
    stage.upstream.requests.length === count ? true : undefined,
  );
}

/** Another process takes the killed one's place, and requests work again. */
async function again(): Promise<void> {
  await engine.process.exited;
  engine = await stage.startAgain(engine);
  await waitFor({ what: "requests to work again", timeoutMs: 10_000 }, async () => {
    const { status } = await send(stage.envoy.port, { path: "/v1/catalogue" });
    return status === 200 ? true : undefined;
  });
}
