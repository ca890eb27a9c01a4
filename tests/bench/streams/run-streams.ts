/** Bodies through one Envoy and one engine that are offered faster than they are taken: what has arrived, and what the engine has needed for it. */
import { replaceAt } from "../../../scripts/processes/data.ts";
import { demoConfig } from "../../../scripts/processes/demo-configs.ts";
import { clusterPlace, envoyPlaces } from "../../../scripts/processes/envoy-bootstrap.ts";
import { type Stage, startStage } from "../../../scripts/processes/start-stage.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { policies } from "../../../src/generated/registry.ts";
import { demandsOf } from "../../config/envoy/support.ts";
import { readMetrics } from "../../support/admin.ts";
import { inspectable, inspectorOf, readLiveMemory } from "../live-memory.ts";
import { maskedHash } from "./masked-body.ts";
import { type SlowExchange, type SlowUpstream, startSlowUpstream } from "./slow-exchange.ts";

export interface StreamsPart extends SlowExchange {
  /** How many exchanges at once. */
  readonly exchanges: number;
  /** What the engine may hold more than before, bytes; `Infinity` where only what arrives counts. */
  readonly heldBytesMax: number;
}

export interface StreamsPlan {
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
  /** The engine's memory before it, and the most that was seen of it. */
  readonly idle: Memory;
  readonly peak: Memory;
}

export interface Memory {
  /** What is in use after a collection, bytes: the heap and the buffers outside of it. */
  readonly heldBytes: number;
  /** With what is still to be collected: V8 lets 64 MiB of buffers come together before it looks. */
  readonly residentBytes: number;
}

const MiB = 1024 * 1024;

/** `npm run bench:streams`. */
export const streamsFull: readonly StreamsPart[] = [
  { exchanges: 1, bodyBytes: 100 * MiB, bytesPerSecond: 5 * MiB, heldBytesMax: 50 * MiB },
  { exchanges: 200, bodyBytes: 2 * MiB, bytesPerSecond: 256 * 1024, heldBytesMax: Number.POSITIVE_INFINITY },
];

/** Each a collection: often enough to see what grows, seldom enough not to be the only thing that collects. */
const sampleMs = 2_000;

const config = `
version: 1
chains:
  mask: { steps: [{ policy: mask@1, parameters: { request: { rules: [{ detect: email }] }, response: { rules: [{ detect: email }] } } }] }
routes: { mask: mask }
`;

/** Rejects when something does not start. */
export async function runStreams({ parts, progress }: StreamsPlan): Promise<readonly PartReport[]> {
  const upstream = await startSlowUpstream();
  try {
    const stage = await startMaskingStage(upstream.port);
    try {
      // What is made once, for the first bodies, is not what they hold.
      await upstream.exchange(stage.envoy.port, { bodyBytes: MiB, bytesPerSecond: Number.POSITIVE_INFINITY });
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

async function play(stage: MeasuredStage, upstream: SlowUpstream, part: StreamsPart): Promise<PartReport> {
  const wanted = maskedHash(part.bodyBytes);
  const idle = await readMemory(stage);
  let peak = idle;
  let sampling = Promise.resolve();
  const timer = setInterval(() => {
    sampling = readMemory(stage).then((memory) => {
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

/** The resident memory first: the collection makes it smaller. */
async function readMemory({ engine, inspector }: MeasuredStage): Promise<Memory> {
  const residentBytes = (await readMetrics(engine))("process_resident_memory_bytes");
  const { heapBytes, externalBytes } = await readLiveMemory(inspector);
  return { heldBytes: heapBytes + externalBytes, residentBytes };
}

function larger(one: Memory, other: Memory): Memory {
  return {
    heldBytes: Math.max(one.heldBytes, other.heldBytes),
    residentBytes: Math.max(one.residentBytes, other.residentBytes),
  };
}

interface MeasuredStage extends Stage {
  /** Where the engine's inspector is. */
  readonly inspector: string;
}

async function startMaskingStage(upstreamPort: number): Promise<MeasuredStage> {
  const demands = await demandsOf(await demoConfig("settings.yaml"), config, policies);
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: upstreamPort } } };
  const stage = await startStage({
    policies: config,
    nodeOptions: inspectable,
    envoy: printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 1 } }),
    bootstrap: (bootstrap) =>
      replaceAt(
        replaceAt(bootstrap, [...clusterPlace("upstream"), "load_assignment", "endpoints"], [{ lb_endpoints: [{ endpoint }] }]),
        // The default of 15 s is for upstreams that are not slow on purpose.
        [...envoyPlaces.routes, { name: "mask" }, "route", "timeout"],
        "0s",
      ),
  });
  return { ...stage, inspector: await inspectorOf(stage.engine.process) };
}
