import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { replaceAt } from "../../scripts/processes/data.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Engine } from "../../scripts/processes/start-engine.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readiness, readMetrics } from "../support/admin.ts";
import { byRename } from "../support/replace-file.ts";
import { startTestStage } from "../support/test-stage.ts";
import { notAnswered, startTraffic, type Traffic, type TrafficResult } from "../support/traffic.ts";

/** A configuration whose every answer carries its number twice, and the process that has answered. */
function generation(number: number, more = ""): string {
  return `version: 1
chains:
  stamped:
    steps:
      - policy: set-header@1
        parameters: { request: [{ name: x-stamp, set: "${number}" }], response: [{ name: x-stamp, set: "${number}" }] }
      - policy: who@1
      - { policy: burn@1, when: '"x-burn-ms" in request.headers' }
      ${more}
routes: { orders: stamped }
`;
}

const clients = 8;

let stage: Stage;
let engine: Engine;
/** A file in a folder of its own. */
let trap: string;
let number = 1;

beforeAll(async () => {
  const folder = await temporaryFolder();
  trap = join(folder.path, "trap");
  process.env.TRAP_FILE = trap;
  stage = await startTestStage({
    policies: generation(number),
    workers: 2,
    program: join(root, "tests/lifecycle/worker-program.ts"),
    settings: (settings) => replaceAt(settings, ["shutdown"], { drainDelay: "3s", grace: "10s" }),
  });
  engine = stage.engine;
  return async () => {
    await stage.close();
    await folder.remove();
  };
});

beforeEach(() => bothUp());

test("both workers serve, and the metrics of both are one sum", async () => {
  const before = (await readMetrics(engine))('policy_engine_chain_exchanges_total{chain="stamped"}');
  const traffic = send200();
  await waitFor({ what: "answers of both", timeoutMs: 10_000 }, () =>
    traffic.results.length > 200 && new Set(traffic.results.map(workerOf)).size === 2 ? true : undefined,
  );
  const results = await traffic.stop();
  expect(notAnswered(results, 200)).toEqual([]);
  await waitFor({ what: "every exchange to be counted", timeoutMs: 5_000 }, async () => {
    const metrics = await readMetrics(engine);
    return metrics("policy_engine_exchanges_open") === 0 ? true : undefined;
  });
  const metrics = await readMetrics(engine);
  expect(metrics('policy_engine_chain_exchanges_total{chain="stamped"}') - before).toBe(results.length);
  const outcome = 'policy_engine_step_outcomes_total{chain="stamped",step="who",policy="who@1.0.0",phase="response",outcome="ran"}';
  const buckets = 'policy_engine_step_duration_seconds_count{chain="stamped",step="who",policy="who@1.0.0",phase="response"}';
  expect(metrics(outcome)).toBe(metrics('policy_engine_chain_exchanges_total{chain="stamped"}'));
  expect(metrics(buckets)).toBe(metrics(outcome));
  expect([metrics('policy_engine_worker_up{worker="0"}'), metrics('policy_engine_worker_up{worker="1"}')]).toEqual([1, 1]);
  const pids = (await workers()).map(({ pid }) => String(pid));
  expect(pids.toSorted()).toEqual([...new Set(results.map(workerOf))].toSorted());
});

test("kill -9 of one worker under traffic: at most what it held is lost, what was counted stays, and it comes back", async () => {
  const traffic = send200();
  await waitFor({ what: "answers", timeoutMs: 10_000 }, () => (traffic.results.length > 100 ? true : undefined));
  const counted = (await readMetrics(engine))('policy_engine_chain_exchanges_total{chain="stamped"}');
  const [victim] = await workers();
  process.kill(victim?.pid ?? 0, "SIGKILL");
  await waitFor({ what: "another process in its place", timeoutMs: 20_000 }, async () => {
    const [now] = await workers();
    return now?.state === "up" && now.pid !== victim?.pid ? true : undefined;
  });
  const [now] = await workers();
  await waitFor({ what: "answers of the new process", timeoutMs: 10_000 }, () =>
    traffic.results.some((result) => workerOf(result) === String(now?.pid)) ? true : undefined,
  );
  const results = await traffic.stop();
  // What it held, and what Envoy sent to it before it knew: a request that has reached the engine is not asked again.
  expect(notAnswered(results, 200).length).toBeLessThanOrEqual(2 * clients);
  expect(mixed(results)).toEqual([]);
  const metrics = await readMetrics(engine);
  expect(metrics('policy_engine_chain_exchanges_total{chain="stamped"}')).toBeGreaterThanOrEqual(counted);
  expect(metrics('policy_engine_worker_restarts_total{worker="0"}')).toBeGreaterThanOrEqual(1);
});

test("a rolling restart of both workers under traffic loses nothing", async () => {
  const before = await workers();
  const traffic = send200({ "x-answer": '{"delayMs":20}' });
  await waitFor({ what: "answers", timeoutMs: 10_000 }, () => (traffic.results.length > 50 ? true : undefined));
  const logged = engine.log.length;
  engine.process.signal("SIGUSR2");
  await waitFor({ what: "both to be replaced", timeoutMs: 80_000, explain: () => JSON.stringify(engine.log.slice(-5)) }, () =>
    engine.log.slice(logged).some(({ msg }) => msg === "every worker is replaced") ? true : undefined,
  );
  const after = await workers();
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
  const traffic = send200();
  for (let round = 0; round < 10; round++) {
    await deliver(generation(++number));
    await waitFor({ what: `generation ${number} in both`, timeoutMs: 10_000 }, async () =>
      (await served()) === "both" ? true : undefined,
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

test("a worker that hangs while it prepares is replaced, and then both take the generation", async () => {
  const traffic = send200();
  const before = await workers();
  await writeFile(trap, "");
  await deliver(generation(++number, "- policy: trap@1"));
  await waitFor({ what: "the hanging one to be killed", timeoutMs: 20_000 }, () =>
    engine.log.some(({ why }) => why === "it has not prepared a generation after 5000 ms") ? true : undefined,
  );
  expect(existsSync(trap), "one process has taken the trap").toBe(false);
  await waitFor({ what: "the generation in both", timeoutMs: 30_000 }, async () => ((await served()) === "both" ? true : undefined));
  const after = await workers();
  expect(after.filter(({ pid }) => before.some((one) => one.pid === pid))).toHaveLength(1);
  const results = await traffic.stop();
  expect(mixed(results)).toEqual([]);
  expect(notAnswered(results, 200).length).toBeLessThanOrEqual(2 * clients);
}, 90_000);

test("a worker that computes for ever is killed and replaced, the other one serves", async () => {
  const before = await workers();
  const answer = send(stage.envoy.port, { path: "/orders", headers: { "x-burn-ms": "3600000" } }).catch(() => undefined);
  await waitFor({ what: "another process in its place", timeoutMs: 40_000 }, async () => {
    const after = await workers();
    return after.every(({ state, pid }, at) => state === "up" && pid !== undefined && at >= 0) &&
      after.some(({ pid }, at) => pid !== before[at]?.pid)
      ? true
      : undefined;
  });
  expect((await answer)?.status).not.toBe(200);
  expect(engine.log.some(({ why }) => why === "it has answered nothing for 8000 ms")).toBe(true);
  const after = await workers();
  expect(after.filter(({ pid }, at) => pid === before[at]?.pid)).toHaveLength(1);
}, 90_000);

test("a generation that kills whoever prepares it is refused, the one before is served on", async () => {
  const traffic = send200();
  const inUse = (await readMetrics(engine))("policy_engine_generation");
  await deliver(generation(number + 1000, "- policy: dies@1"));
  await waitFor({ what: "the refusal", timeoutMs: 60_000 }, async () =>
    (await readMetrics(engine))('policy_engine_refusals_total{code="workers-failed"}') === 1 ? true : undefined,
  );
  await bothUp();
  expect((await readMetrics(engine))("policy_engine_generation")).toBe(inUse);
  const results = await traffic.stop();
  expect(new Set(results.map(stampOf))).not.toContain(String(number + 1000));
  expect(mixed(results)).toEqual([]);
  await deliver(generation(++number));
  await waitFor({ what: "the next one", timeoutMs: 20_000 }, async () => ((await served()) === "both" ? true : undefined));
}, 120_000);

test("an address that is taken keeps the engine from starting, and says whose it is", async () => {
  const taken = join(stage.folder, "taken.sock");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${taken}.1`, resolve));
  onTestFinished(() => void server.close());
  const other = startTestStage({ workers: 2, settings: (settings) => replaceAt(settings, ["listen"], [`unix:${taken}`]) });
  await expect(other).rejects.toThrow(
    /worker 1 cannot be started: cannot listen on unix:\S*taken\.sock\.1: another process is listening there/,
  );
  expect(existsSync(taken)).toBe(false);
});

test("without its parent a worker drains and ends", async () => {
  const pids = (await workers()).map(({ pid }) => pid ?? 0);
  engine.process.signal("SIGKILL");
  await waitFor({ what: "the workers to end", timeoutMs: 20_000 }, () => (pids.some(isRunning) ? undefined : true));
  expect(existsSync(join(stage.folder, "engine.sock"))).toBe(false);
  expect((await send(stage.envoy.port, { path: "/orders" })).status).toBe(503);
});

function send200(headers: Readonly<Record<string, string>> = {}): Traffic {
  const traffic = startTraffic({ port: stage.envoy.port, clients, next: () => ({ path: "/orders", headers }) });
  onTestFinished(() => void traffic.stop());
  return traffic;
}

const deliver = (text: string): Promise<void> => byRename(stage.policiesFile, text);

interface ShownWorker {
  readonly state: string;
  readonly pid?: number;
  readonly generation?: number;
}

async function workers(): Promise<readonly ShownWorker[]> {
  const { body } = await send(engine.adminPort, { path: "/readyz" });
  const page: { readonly workers: readonly ShownWorker[] } = JSON.parse(body);
  return page.workers;
}

/** Whether both workers serve by the configuration that was delivered last. */
async function served(): Promise<"both" | undefined> {
  const { body } = await send(engine.adminPort, { path: "/config" });
  if (!body.includes(`"${number}"`)) return undefined;
  const metrics = await readMetrics(engine);
  const generations = (await workers()).map((one) => (one.state === "up" ? one.generation : undefined));
  return generations.every((one) => one === metrics("policy_engine_generation")) ? "both" : undefined;
}

function bothUp(): Promise<true> {
  return waitFor({ what: "both workers to be up", timeoutMs: 40_000 }, async () => {
    const all = await workers();
    if (!all.every(({ state }) => state === "up") || (await readiness(engine)) !== 200) return undefined;
    // Envoy has noticed as well.
    const stats = await stage.envoy.stats("^cluster.policy_engine.membership_healthy$");
    return stats.get("cluster.policy_engine.membership_healthy") === 2 ? true : undefined;
  });
}

function stampOf(result: TrafficResult): string | undefined {
  return result.kind === "answered" ? valuesOf(result.response.headers, "x-stamp")[0] : undefined;
}

function workerOf(result: TrafficResult): string | undefined {
  return result.kind === "answered" ? valuesOf(result.response.headers, "x-worker")[0] : undefined;
}

/** Answers whose request was stamped by another generation than the response. */
function mixed(results: readonly TrafficResult[]): readonly TrafficResult[] {
  return results.filter((result) => {
    if (result.kind === "broken" || result.response.status !== 200) return false;
    const upstream: { readonly headers: readonly (readonly [string, string])[] } = JSON.parse(result.response.body);
    return valuesOf(upstream.headers, "x-stamp")[0] !== stampOf(result);
  });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
