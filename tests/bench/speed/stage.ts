/** Everything that runs while it is measured: one Envoy, an upstream, and a process for each contender that is one. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../../scripts/cache.mjs";
import { findEnvoy } from "../../../scripts/envoy.mjs";
import { layOut } from "../../../scripts/image/lay-out.ts";
import { createCleanup } from "../../../scripts/processes/cleanup.ts";
import { type HeldPort, holdPort } from "../../../scripts/processes/free-port.ts";
import { startEnvoy } from "../../../scripts/processes/start-envoy.ts";
import { temporaryFolder } from "../../../scripts/processes/temporary-folder.ts";
import { benchRequests } from "./chains.ts";
import { type Contender, type Processor, workOf } from "./contenders.ts";
import { benchBootstrap, type Site } from "./envoy-config.ts";
import type { BenchRequest } from "./http1-connection.ts";
import { type NoOpPrograms, type Running, startMeasuredEngine, startNoOp } from "./processors.ts";
import { upstreamBootstrap } from "./upstream.ts";

export interface BenchStage {
  readonly envoyPid: number;
  /** One for each contender that was wanted and could be built. */
  readonly places: readonly Place[];
  close(): Promise<void>;
}

/** Where a contender is found. */
export interface Place {
  readonly contender: Contender;
  /** Of Envoy's listener. */
  readonly port: number;
  readonly requests: readonly BenchRequest[];
  /** Undefined where Envoy asks nobody. */
  readonly running: Running | undefined;
}

export interface BenchStagePlan {
  readonly contenders: readonly Contender[];
  readonly noOps: NoOpPrograms;
  readonly envoyThreads: number;
}

/** Rejects when something does not start; what was started before has then been ended. */
export async function startBenchStage(plan: BenchStagePlan): Promise<BenchStage> {
  const cleanup = createCleanup();
  try {
    return { ...(await start(plan, cleanup.add)), close: cleanup.run };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start(
  { contenders: wanted, noOps, envoyThreads }: BenchStagePlan,
  atEnd: (end: () => Promise<unknown>) => void,
): Promise<Omit<BenchStage, "close">> {
  const binary = findEnvoy();
  if (binary === undefined) throw new Error("there is no Envoy: `node scripts/envoy.mjs` fetches it or says how to get it");
  const { path: folder, remove } = await temporaryFolder();
  atEnd(remove);
  // What the image of the engine holds.
  const shipped = join(folder, "engine");
  await layOut(root, shipped, "engine");
  const contenders = wanted.filter(({ processor }) => processor.kind !== "no-op" || noOps.has(processor.noOp));

  // Contenders that differ in their load alone share a listener and a process.
  const processors = new Map(contenders.map(({ processor }) => [JSON.stringify(processor), processor]));
  const takePort = await freePorts(processors.size + 3);
  const seats = new Map<string, Seat>();
  for (const [key, processor] of processors) {
    const name = `contender-${seats.size}`;
    const socket = join(folder, `${name}.sock`);
    const running = await startProcessor(processor, noOps, { program: join(shipped, "bin/policy-engine.mjs"), socket, folder, name });
    if (running !== undefined) atEnd(running.stop);
    seats.set(key, { site: { processor, port: takePort(), socket }, running });
  }

  const upstreamFolder = join(folder, "upstream");
  await mkdir(upstreamFolder);
  const upstreamPorts = { port: takePort(), adminPort: takePort() };
  const upstream = await startEnvoy({ binary, bootstrap: upstreamBootstrap(upstreamPorts), ...upstreamPorts, folder: upstreamFolder });
  atEnd(upstream.stop);
  const admin = takePort();
  const sites = [...seats.values()].map(({ site }) => site);
  const bootstrap = await benchBootstrap(sites, { admin, upstream: upstreamPorts.port });
  const envoy = await startEnvoy({
    binary,
    bootstrap,
    port: sites[0]?.port ?? Number.NaN,
    adminPort: admin,
    folder,
    threads: envoyThreads,
  });
  atEnd(envoy.stop);

  const places = contenders.flatMap((contender): readonly Place[] => {
    const { processor, load } = contender;
    const seat = seats.get(JSON.stringify(processor));
    const routes = processor.kind === "engine" ? processor.routes : 1;
    const requests = benchRequests(workOf(processor), load, routes);
    return seat === undefined ? [] : [{ contender, port: seat.site.port, requests, running: seat.running }];
  });
  return { envoyPid: envoy.process.pid, places };
}

interface Seat {
  readonly site: Site;
  readonly running: Running | undefined;
}

async function startProcessor(
  processor: Processor,
  noOps: NoOpPrograms,
  place: { readonly program: string; readonly socket: string; readonly folder: string; readonly name: string },
): Promise<Running | undefined> {
  switch (processor.kind) {
    case "nobody":
      return undefined;
    case "no-op": {
      const program = noOps.get(processor.noOp);
      return program && startNoOp(program, place.socket);
    }
    case "engine":
      return startMeasuredEngine(processor, place);
  }
}

/** Gives a port that is likely to be free, another one each time, as often as this. */
async function freePorts(count: number): Promise<() => number> {
  const held: HeldPort[] = await Promise.all(Array.from({ length: count }, () => holdPort()));
  await Promise.all(held.map(({ release }) => release()));
  const ports = held.map(({ port }) => port);
  return () => {
    const port = ports.pop();
    if (port === undefined) throw new RangeError("more ports are wanted than were held");
    return port;
  };
}
