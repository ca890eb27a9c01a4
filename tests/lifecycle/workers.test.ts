/** How two workers serve, are replaced and end, over connections of Envoy's. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { send } from "../../scripts/processes/send.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readMetrics } from "../support/admin.ts";
import { notAnswered } from "../support/traffic.ts";
import { clients, mixed, stampOf, startWorkerStage, type WorkerStage, workerOf } from "./worker-stage.ts";

let stage: WorkerStage;
let number = 1;

beforeAll(async () => {
  stage = await startWorkerStage();
  return () => stage.close();
});

beforeEach(() => stage.bothUp());

test("both workers serve, and the metrics of both are one sum", async () => {
  const before = (await readMetrics(stage.engine))('policy_engine_chain_exchanges_total{chain="stamped"}');
  const traffic = stage.traffic();
  await waitFor({ what: "answers of both", timeoutMs: 10_000 }, () =>
    traffic.results.length > 200 && new Set(traffic.results.map(workerOf)).size === 2 ? true : undefined,
  );
  const results = await traffic.stop();
  expect(notAnswered(results, 200)).toEqual([]);
  await waitFor({ what: "every exchange to be counted", timeoutMs: 5_000 }, async () => {
    const metrics = await readMetrics(stage.engine);
    return metrics("policy_engine_exchanges_open") === 0 ? true : undefined;
  });
  const metrics = await readMetrics(stage.engine);
  expect(metrics('policy_engine_chain_exchanges_total{chain="stamped"}') - before).toBe(results.length);
  const outcome = 'policy_engine_step_outcomes_total{chain="stamped",step="who",policy="who@1.0.0",phase="response",outcome="ran"}';
  const buckets = 'policy_engine_step_duration_seconds_count{chain="stamped",step="who",policy="who@1.0.0",phase="response"}';
  expect(metrics(outcome)).toBe(metrics('policy_engine_chain_exchanges_total{chain="stamped"}'));
  expect(metrics(buckets)).toBe(metrics(outcome));
  expect([metrics('policy_engine_worker_up{worker="0"}'), metrics('policy_engine_worker_up{worker="1"}')]).toEqual([1, 1]);
  const pids = (await stage.workers()).map(({ pid }) => String(pid));
  expect(pids.toSorted()).toEqual([...new Set(results.map(workerOf))].toSorted());
});

test("kill -9 of one worker under traffic: at most what it held is lost, what was counted stays, and it comes back", async () => {
  const traffic = stage.traffic();
  await waitFor({ what: "answers", timeoutMs: 10_000 }, () => (traffic.results.length > 100 ? true : undefined));
  const counted = (await readMetrics(stage.engine))('policy_engine_chain_exchanges_total{chain="stamped"}');
  const [victim] = await stage.workers();
  process.kill(victim?.pid ?? 0, "SIGKILL");
  await waitFor({ what: "another process in its place", timeoutMs: 20_000 }, async () => {
    const [now] = await stage.workers();
    return now?.state === "up" && now.pid !== victim?.pid ? true : undefined;
  });
  const [now] = await stage.workers();
  await waitFor({ what: "answers of the new process", timeoutMs: 10_000 }, () =>
    traffic.results.some((result) => workerOf(result) === String(now?.pid)) ? true : undefined,
  );
  const results = await traffic.stop();
  // What it held, and what Envoy sent to it before it knew: a request that has reached the engine is not asked again.
  expect(notAnswered(results, 200).length).toBeLessThanOrEqual(2 * clients);
  expect(mixed(results)).toEqual([]);
  const metrics = await readMetrics(stage.engine);
  expect(metrics('policy_engine_chain_exchanges_total{chain="stamped"}')).toBeGreaterThanOrEqual(counted);
  expect(metrics('policy_engine_worker_restarts_total{worker="0"}')).toBeGreaterThanOrEqual(1);
});

test("a rolling restart of both workers under traffic loses nothing", async () => {
  const before = await stage.workers();
  const traffic = stage.traffic({ "x-answer": '{"delayMs":20}' });
  await waitFor({ what: "answers", timeoutMs: 10_000 }, () => (traffic.results.length > 50 ? true : undefined));
  const logged = stage.engine.log.length;
  stage.engine.process.signal("SIGUSR2");
  await waitFor({ what: "both to be replaced", timeoutMs: 80_000, explain: () => JSON.stringify(stage.engine.log.slice(-5)) }, () =>
    stage.engine.log.slice(logged).some(({ msg }) => msg === "every worker is replaced") ? true : undefined,
  );
  const after = await stage.workers();
  await waitFor({ what: "answers of both new processes", timeoutMs: 10_000 }, () => {
    const seen = new Set(traffic.results.map(workerOf));
    return after.every(({ pid }) => seen.has(String(pid))) ? true : undefined;
  });
  const results = await traffic.stop();
  expect(notAnswered(results, 200)).toEqual([]);
  expect(after.map(({ pid }) => pid)).not.toContain(before[0]?.pid);
  expect(after.map(({ pid }) => pid)).not.toContain(before[1]?.pid);
}, 120_000);

test("reloads under traffic: both workers follow, and no exchange meets two generations", async () => {
  const traffic = stage.traffic();
  for (let round = 0; round < 10; round++) {
    await stage.deliver(++number);
    await waitFor({ what: `generation ${number} in both`, timeoutMs: 10_000 }, async () =>
      (await stage.served(number)) === "both" ? true : undefined,
    );
    const from = traffic.results.length;
    await waitFor({ what: `answers of generation ${number}`, timeoutMs: 10_000 }, () =>
      traffic.results.slice(from).filter((result) => stampOf(result) === String(number)).length > clients ? true : undefined,
    );
    // From here on nobody serves by the one before.
    expect(new Set(traffic.results.slice(from + 2 * clients).map(stampOf)).size).toBeLessThanOrEqual(1);
  }
  const results = await traffic.stop();
  expect(notAnswered(results, 200)).toEqual([]);
  expect(mixed(results)).toEqual([]);
}, 90_000);

test("without its parent a worker drains and ends", async () => {
  const pids = (await stage.workers()).map(({ pid }) => pid ?? 0);
  stage.engine.process.signal("SIGKILL");
  await waitFor({ what: "the workers to end", timeoutMs: 20_000 }, () => (pids.some(isRunning) ? undefined : true));
  expect(existsSync(join(stage.folder, "engine.sock"))).toBe(false);
  expect((await send(stage.envoy.port, { path: "/orders" })).status).toBe(503);
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
