/**
 * A file and a control plane whose configurations are replaced all the time, one time in three by something broken, while a real Envoy sends
 * traffic: every answer must be of one good generation, and nothing may be left of those before.
 */
import { join } from "node:path";
import { root } from "../../../scripts/cache.mjs";
import type { Child } from "../../../scripts/processes/child-process.ts";
import { type Data, replaceAt } from "../../../scripts/processes/data.ts";
import { type Stage, startStage } from "../../../scripts/processes/start-stage.ts";
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import { startXdsServer, type XdsServer } from "../../../scripts/xds/start-xds-server.ts";
import { readMetrics } from "../../support/admin.ts";
import type { Told } from "../../support/counted-chains.ts";
import { inspectable, inspectorOf, type LiveMemory, readLiveMemory } from "../live-memory.ts";
import { type ChaosTraffic, startChaosTraffic } from "./chaos-traffic.ts";
import { type ChaosWriter, createChaosWriter } from "./chaos-writer.ts";
import { goodText } from "./configurations.ts";

export interface ChaosPlan {
  /** Storms, with a calm after each in which the last write must come into use. */
  readonly rounds: number;
  readonly roundMs: number;
  /** Replacements in a second. */
  readonly perSecond: number;
  readonly progress: (text: string) => void;
}

export interface ChaosReport {
  readonly seconds: number;
  readonly replaced: ChaosWriter["counts"];
  readonly sent: ChaosTraffic["sent"];
  readonly wrong: ChaosTraffic["wrong"];
  /** Different configurations that answers have come from. */
  readonly configurationsSeen: number;
  /** The generation in use at the end. */
  readonly generation: number;
  readonly refused: number;
  /** Codes that the control plane was given as reasons. */
  readonly reasons: readonly string[];
  /** How long after the last write of a round it was live at both providers' routes, milliseconds. */
  readonly liveMs: readonly number[];
  /** Broken states that the engine has told the control plane it took. */
  readonly brokenAcknowledged: readonly string[];
  /** Exchanges on the control plane's route that the engine has reported to it. */
  readonly reported: number | undefined;
  /** At the end; 1 and 0 when nothing is left. */
  readonly open: { readonly generations: number; readonly exchanges: number };
  /** After each calm. */
  readonly memory: readonly LiveMemory[];
}

const liveTimeoutMs = 20_000;

/** Rejects when something does not start, and when the last write of a round does not come into use within 20 s. */
export async function runChaos(plan: ChaosPlan): Promise<ChaosReport> {
  const xds = await startXdsServer();
  try {
    const stage = await startStage({
      policies: goodText("orders", "orders-good-0"),
      settings: (settings) => chaosSettings(settings, xds.port),
      program: join(root, "tests/bench/chaos/chaos-engine.ts"),
      nodeOptions: inspectable,
      until: "listening",
    });
    try {
      return await Promise.race([play(plan, stage, xds), ...[stage.envoy, stage.engine].map(({ process }) => endOf(process))]);
    } finally {
      await stage.close();
    }
  } finally {
    await xds.stop();
  }
}

/** Rejects when the process ends: nothing that is measured afterwards means anything. */
async function endOf({ exited, lastLines, name }: Child): Promise<never> {
  const { code, signal } = await exited;
  throw new Error(`the ${name} has ended in the middle (${signal ?? code}): it said\n${lastLines().slice(-20).join("\n")}`);
}

/** The control plane beside the file. */
function chaosSettings(settings: Data, xdsPort: number): Data {
  const { providers } = typeof settings === "object" && settings !== null && "providers" in settings ? settings : {};
  const xds = { xds: { address: `tcp:127.0.0.1:${xdsPort}`, reportInterval: "1s" } };
  return replaceAt(settings, ["providers"], [...(Array.isArray(providers) ? providers : []), xds]);
}

async function play({ rounds, roundMs, perSecond, progress }: ChaosPlan, stage: Stage, xds: XdsServer): Promise<ChaosReport> {
  const { engine, envoy, policiesFile } = stage;
  const inspector = await inspectorOf(engine.process);
  const writer = createChaosWriter(policiesFile, xds, perSecond);
  await writer.settle();
  const said = (): string => JSON.stringify(engine.log.slice(-3));
  const healthy = "cluster.policy_engine.membership_healthy";
  await waitFor({ what: "the engine to be ready for Envoy", timeoutMs: liveTimeoutMs, explain: said }, async () => {
    return (await envoy.stats(`^${healthy}$`)).get(healthy) === 1 || undefined;
  });

  const started = performance.now();
  const traffic = startChaosTraffic(envoy.port);
  const liveMs: number[] = [];
  const memory: LiveMemory[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      await writer.storm(roundMs);
      const stamps = await writer.settle();
      const written = performance.now();
      liveMs.push((await allSeen(stamps, traffic)) - written);
      memory.push(await readLiveMemory(inspector));
      progress(`round ${round} of ${rounds}: ${writer.counts.all} replacements, ${traffic.firstSeen.size} configurations seen`);
    }
  } finally {
    await traffic.stop();
  }
  const seconds = (performance.now() - started) / 1000;

  await waitFor({ what: "the last report", timeoutMs: liveTimeoutMs }, () => reportedTo(xds) === traffic.sent.reports || undefined).catch(
    () => {},
  );
  await waitFor({ what: "old generations to be closed", timeoutMs: liveTimeoutMs }, async () => {
    const metrics = await readMetrics(engine);
    return (metrics("policy_engine_generations_open") === 1 && metrics("policy_engine_exchanges_open") === 0) || undefined;
  }).catch(() => {});
  const metrics = await readMetrics(engine);
  return {
    seconds,
    replaced: writer.counts,
    sent: traffic.sent,
    wrong: traffic.wrong,
    configurationsSeen: traffic.firstSeen.size,
    generation: metrics("policy_engine_generation"),
    refused: metrics('policy_engine_reloads_total{verdict="refused"}'),
    reasons: reasonsGivenTo(xds),
    liveMs,
    brokenAcknowledged: xds.requests.flatMap(({ versionInfo = "" }) => (versionInfo.includes("-bad-") ? [versionInfo] : [])),
    reported: reportedTo(xds),
    open: { generations: metrics("policy_engine_generations_open"), exchanges: metrics("policy_engine_exchanges_open") },
    memory,
  };
}

/** When answers with each of these stamps had come, milliseconds on the monotonic clock. */
function allSeen(stamps: readonly string[], { firstSeen, wrong }: ChaosTraffic): Promise<number> {
  const what = `${stamps.join(" and ")} to be live`;
  const explain = (): string => `${wrong.count} wrong answers\n${wrong.first.join("\n")}`;
  return waitFor({ what, timeoutMs: liveTimeoutMs, explain }, () => {
    const last = Math.max(...stamps.map((stamp) => firstSeen.get(stamp) ?? Number.POSITIVE_INFINITY));
    return last < Number.POSITIVE_INFINITY ? last : undefined;
  });
}

/** Exchanges with the control plane's chain, as the last message with statistics has them. */
function reportedTo({ requests }: XdsServer): number | undefined {
  const told: Told = requests.findLast(({ node }) => node?.metadata?.statistics)?.node?.metadata?.statistics ?? {};
  return told.chains?.find(({ chain }) => chain === "reports")?.exchanges;
}

/** In each line of a refusal: `xds:NAME at PATH: CODE: MESSAGE`. */
function reasonsGivenTo({ requests }: XdsServer): readonly string[] {
  const lines = requests.flatMap(({ errorDetail }) => errorDetail?.message?.split("\n") ?? []);
  return [...new Set(lines.flatMap((line) => /^xds:reports at \S+: ([a-z-]+):/.exec(line)?.[1] ?? []))].toSorted();
}
