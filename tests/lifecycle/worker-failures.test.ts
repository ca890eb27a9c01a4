/** Workers that hang, compute for ever or die over a configuration, and one that cannot start: what the parent does then. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { send } from "../../scripts/processes/send.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readMetrics } from "../support/admin.ts";
import { startTestStage } from "../support/test-stage.ts";
import { notAnswered } from "../support/traffic.ts";
import { clients, mixed, stampOf, startWorkerStage, type WorkerStage } from "./worker-stage.ts";

let stage: WorkerStage;
/** A file in a folder of its own. */
let trap: string;
let number = 1;

beforeAll(async () => {
  const { path: folder, remove } = await temporaryFolder();
  trap = join(folder, "trap");
  process.env.TRAP_FILE = trap;
  stage = await startWorkerStage();
  return async () => {
    await stage.close();
    await remove();
  };
});

beforeEach(() => stage.bothUp());

test("a worker that hangs while it prepares is replaced, and then both take the generation", async () => {
  const traffic = stage.traffic();
  const before = await stage.workers();
  await writeFile(trap, "");
  await stage.deliver(++number, "- policy: trap@1");
  await waitFor({ what: "the hanging one to be killed", timeoutMs: 20_000 }, () =>
    stage.engine.log.some(({ why }) => why === "it has not prepared a generation after 5000 ms") ? true : undefined,
  );
  expect(existsSync(trap), "one process has taken the trap").toBe(false);
  await waitFor({ what: "the generation in both", timeoutMs: 30_000 }, async () =>
    (await stage.served(number)) === "both" ? true : undefined,
  );
  const after = await stage.workers();
  expect(after.filter(({ pid }) => before.some((one) => one.pid === pid))).toHaveLength(1);
  const results = await traffic.stop();
  expect(mixed(results)).toEqual([]);
  expect(notAnswered(results, 200).length).toBeLessThanOrEqual(2 * clients);
}, 90_000);

test("a worker that computes for ever is killed and replaced, the other one serves", async () => {
  const before = await stage.workers();
  const answer = send(stage.envoy.port, { path: "/orders", headers: { "x-burn-ms": "3600000" } }).catch(() => undefined);
  await waitFor({ what: "another process in its place", timeoutMs: 40_000 }, async () => {
    const after = await stage.workers();
    return after.every(({ state, pid }, at) => state === "up" && pid !== undefined && at >= 0) &&
      after.some(({ pid }, at) => pid !== before[at]?.pid)
      ? true
      : undefined;
  });
  expect((await answer)?.status).not.toBe(200);
  expect(stage.engine.log.some(({ why }) => why === "it has answered nothing for 8000 ms")).toBe(true);
  const after = await stage.workers();
  expect(after.filter(({ pid }, at) => pid === before[at]?.pid)).toHaveLength(1);
}, 90_000);

test("a generation that kills whoever prepares it is refused, the one before is served on", async () => {
  const traffic = stage.traffic();
  const inUse = (await readMetrics(stage.engine))("policy_engine_generation");
  await stage.deliver(number + 1000, "- policy: dies@1");
  await waitFor({ what: "the refusal", timeoutMs: 60_000 }, async () =>
    (await readMetrics(stage.engine))('policy_engine_refusals_total{code="workers-failed"}') === 1 ? true : undefined,
  );
  await stage.bothUp();
  expect((await readMetrics(stage.engine))("policy_engine_generation")).toBe(inUse);
  const results = await traffic.stop();
  expect(new Set(results.map(stampOf))).not.toContain(String(number + 1000));
  expect(mixed(results)).toEqual([]);
  await stage.deliver(++number);
  await waitFor({ what: "the next one", timeoutMs: 20_000 }, async () => ((await stage.served(number)) === "both" ? true : undefined));
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
