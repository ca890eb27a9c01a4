/** Bodies through one Envoy and one engine that are offered faster than they are taken: what has arrived, and what the engine has needed for it. */
import { replaceAt } from "../../../scripts/processes/data.ts";
import { demoConfig } from "../../../scripts/processes/demo-configs.ts";
import { clusterPlace, envoyPlaces } from "../../../scripts/processes/envoy-bootstrap.ts";
import { type Stage, startStage } from "../../../scripts/processes/start-stage.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { policies } from "../../../src/generated/registry.ts";
import type { TransportKind } from "../../../src/transport/create-transport.ts";
import { demandsOf } from "../../config/envoy/support.ts";
import { inspectable, inspectorOf, type LiveMemory, readLiveMemory, readUsedMemory } from "../live-memory.ts";
import { maskedHash } from "./masked-body.ts";
import { type SlowExchange, type SlowUpstream, startSlowUpstream } from "./slow-exchange.ts";

export interface StreamsPart extends SlowExchange {
  /** How many exchanges at once. */
  readonly exchanges: number;
  /** What is looked at of the engine's memory, in runs of their own: a collection makes the resident memory smaller than it would be. */
  readonly look: Look;
  /** By how much that may grow, bytes; `Infinity` where only what arrives counts. */
  readonly growthBytesMax: number;
}

export interface StreamsPlan {
  readonly transport: TransportKind;
  /** How many small exchanges come first: what an engine has served that is idle. */
  readonly warmUpExchanges: number;
  readonly parts: readonly StreamsPart[];
  /** Told when a part begins. */
  readonly progress: (text: string) => void;
}

export interface PartReport {
  readonly part: StreamsPart;
  readonly seconds: number;
  /** Bodies that have arrived as they should. */
  readonly right: number;
  readonly faults: readonly string[];
  /** The engine's memory before it, and the most that was seen of each. */
  readonly idle: LiveMemory;
  readonly peak: LiveMemory;
}

/**
 * `held`: after a collection, the heap and the buffers outside of it; `resident`: what the system counts, with what is still to be collected. V8
 * lets about 64 MiB of buffers come together before it collects any, however short they live, so only the first has a bound of ours.
 */
export type Look = "held" | "resident";

const MiB = 1024 * 1024;

/** `npm run bench:streams`. After so many exchanges small ones are nothing new to the engine. */
export const fullWarmUpExchanges = 2_000;
export const streamsFull: readonly StreamsPart[] = [
  { exchanges: 1, bodyBytes: 100 * MiB, bytesPerSecond: 5 * MiB, look: "resident", growthBytesMax: 50 * MiB },
  { exchanges: 1, bodyBytes: 100 * MiB, bytesPerSecond: 5 * MiB, look: "held", growthBytesMax: 50 * MiB },
  { exchanges: 200, bodyBytes: 2 * MiB, bytesPerSecond: 256 * 1024, look: "resident", growthBytesMax: Number.POSITIVE_INFINITY },
];

/** A look at what is held is a collection: often enough to see what grows, seldom enough not to be the only thing that collects. */
const looks = {
  held: { sampleMs: 2_000, read: readLiveMemory },
  resident: { sampleMs: 250, read: readUsedMemory },
} as const;

const warmUp = { atOnce: 10, exchange: { bodyBytes: 900, bytesPerSecond: Number.POSITIVE_INFINITY } };

const config = `
version: 1
chains:
  mask: { steps: [{ policy: mask@1, parameters: { request: { rules: [{ detect: email }] }, response: { rules: [{ detect: email }] } } }] }
routes: { mask: mask }
`;

/** Rejects when something does not start. */
export async function runStreams({ transport, warmUpExchanges, parts, progress }: StreamsPlan): Promise<readonly PartReport[]> {
  const upstream = await startSlowUpstream();
  try {
    const stage = await startMaskingStage(upstream.port, transport);
    try {
      progress("small exchanges, so that the engine is an idle one and not one that has just started");
      await warm(stage, upstream, warmUpExchanges);
      const reports: PartReport[] = [];
      for (const part of parts) {
        progress(`${part.exchanges} x ${part.bodyBytes / MiB} MiB each way, read at ${part.bytesPerSecond / MiB} MiB/s`);
        reports.push(await play(stage, upstream, part));
      }
      return reports;
    } finally {
      await stage.close();
    }
  } finally {
    upstream.stop();
  }
}

async function warm(stage: MeasuredStage, upstream: SlowUpstream, exchanges: number): Promise<void> {
  for (let done = 0; done < exchanges; done += warmUp.atOnce) {
    await Promise.all(Array.from({ length: warmUp.atOnce }, () => upstream.exchange(stage.envoy.port, warmUp.exchange)));
  }
}

async function play(stage: MeasuredStage, upstream: SlowUpstream, part: StreamsPart): Promise<PartReport> {
  const wanted = maskedHash(part.bodyBytes);
  const { sampleMs, read } = looks[part.look];
  const idle = await read(stage.inspector);
  let peak = idle;
  let sampling = Promise.resolve();
  const timer = setInterval(() => {
    sampling = read(stage.inspector).then((memory) => {
      peak = larger(peak, memory);
    });
  }, sampleMs);
  const started = performance.now();
  const settled = await Promise.allSettled(Array.from({ length: part.exchanges }, () => upstream.exchange(stage.envoy.port, part)));
  const seconds = (performance.now() - started) / 1000;
  clearInterval(timer);
  await sampling;
  const faults = settled.flatMap((one) => {
    if (one.status === "rejected") return [String(one.reason)];
    return Object.entries(one.value).flatMap(([where, hash]) => (hash === wanted ? [] : [`other bytes have arrived at the ${where}`]));
  });
  const right = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value.upstream, one.value.client] : []));
  return { part, seconds, right: right.filter((hash) => hash === wanted).length, faults, idle, peak };
}

function larger(one: LiveMemory, other: LiveMemory): LiveMemory {
  return {
    heapBytes: Math.max(one.heapBytes, other.heapBytes),
    externalBytes: Math.max(one.externalBytes, other.externalBytes),
    residentBytes: Math.max(one.residentBytes, other.residentBytes),
  };
}

interface MeasuredStage extends Stage {
  /** Where the engine's inspector is. */
  readonly inspector: string;
}

async function startMaskingStage(upstreamPort: number, transport: TransportKind): Promise<MeasuredStage> {
  const demands = await demandsOf(await demoConfig("settings.yaml"), config, policies);
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: upstreamPort } } };
  const stage = await startStage({
    policies: config,
    nodeOptions: inspectable,
    settings: (settings) => replaceAt(settings, ["transport"], transport),
    envoy: printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 1 } }),
    bootstrap: (bootstrap) => {
      const toUpstream = replaceAt(
        bootstrap,
        [...clusterPlace("upstream"), "load_assignment", "endpoints"],
        [{ lb_endpoints: [{ endpoint }] }],
      );
      // The default of 15 s is for upstreams that are not slow on purpose.
      const patient = replaceAt(toUpstream, [...envoyPlaces.routes, { name: "mask" }, "route", "timeout"], "0s");
      // An engine whose memory is read by force stands still meanwhile, which is not what is measured.
      return replaceAt(patient, [...clusterPlace("policy_engine"), "health_checks"], []);
    },
  });
  return { ...stage, inspector: await inspectorOf(stage.engine.process) };
}
