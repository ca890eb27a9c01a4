/**
 * What an exchange costs the engine on each transport, as processor time of its process: each behind an Envoy of its own, with the same chain
 * of one step, in rounds that take turns. Every answer is looked at. Read the ratio: the times are this machine's, and its other users'.
 *
 *   npm run bench:transports [-- ROUNDS [REQUESTS]]
 */
import { loadavg } from "node:os";
import { replaceAt } from "../../scripts/processes/data.ts";
import { type Stage, startStage } from "../../scripts/processes/start-stage.ts";
import { readMetrics } from "../support/admin.ts";
import { notAnswered, startTraffic } from "../support/traffic.ts";
import { transportKinds } from "../support/transports.ts";

const [rounds = 5, requests = 3_000] = process.argv.slice(2).map(Number);
const clients = 32;
const warmUpRequests = 2_000;

const policies = `
version: 1
chains:
  one: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: seen }] } }] }
routes: { catalogue-v1: one }
`;

const stages: Stage[] = [];
try {
  for (const transport of transportKinds) {
    stages.push(await startStage({ policies, settings: (settings) => replaceAt(settings, ["transport"], transport) }));
  }
  for (const stage of stages) await microsecondsPerExchange(stage, warmUpRequests);
  const costs = transportKinds.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, stage] of stages.entries()) costs[index]?.push(await microsecondsPerExchange(stage, requests));
  }
  console.log(`${rounds} rounds of ${requests} requests, ${clients} clients, load ${loadavg()[0]?.toFixed(1)}`);
  for (const [index, transport] of transportKinds.entries())
    report(`${transport}, us of processor time per exchange`, costs[index] ?? [], 0);
  const [grpcJs = [], native = []] = costs;
  report(
    "native / grpc-js",
    native.map((cost, round) => cost / (grpcJs[round] ?? Number.NaN)),
    2,
  );
} finally {
  for (const stage of stages) await stage.close();
}

/** Throws when an answer is not as it should be. */
async function microsecondsPerExchange(stage: Stage, count: number): Promise<number> {
  const before = await processorSeconds(stage);
  const traffic = startTraffic({ port: stage.envoy.port, clients, next: () => ({ path: "/v1/catalogue" }) });
  while (traffic.results.length < count) await new Promise((resolve) => setTimeout(resolve, 10));
  const results = await traffic.stop();
  const used = (await processorSeconds(stage)) - before;
  const wrong = notAnswered(results, 200);
  if (wrong.length > 0) throw new Error(`${wrong.length} answers are wrong, such as ${wrong[0]}`);
  return (used * 1e6) / results.length;
}

async function processorSeconds({ engine }: Stage): Promise<number> {
  return (await readMetrics(engine))("process_cpu_seconds_total");
}

function report(what: string, values: readonly number[], digits: number): void {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, middle, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((value) => value?.toFixed(digits));
  console.log(`${what}: ${middle} (${least} to ${most})`);
}
