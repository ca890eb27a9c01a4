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
  { contenders: wanted, noOps }: BenchStagePlan,
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
  const byKey = new Map(contenders.map(({ processor }) => [JSON.stringify(processor), processor]));
  const ports = await freePorts(byKey.size + 4);
  const [admin = 0, upstreamPort = 0, upstreamAdmin = 0, , ...own] = ports;
  const sites = new Map<string, Site>();
  const runs = new Map<string, Running>();
  for (const [index, [key, processor]] of [...byKey].entries()) {
    const socket = join(folder, `${index}.sock`);
    sites.set(key, { processor, port: own[index] ?? 0, socket });
    const running = await startProcessor(processor, noOps, {
      program: join(shipped, "bin/policy-engine.mjs"),
      socket,
      folder,
      name: `engine-${index}`,
    });
    if (running === undefined) continue;
    atEnd(running.stop);
    runs.set(key, running);
  }

  const upstreamFolder = join(folder, "upstream");
  await mkdir(upstreamFolder);
  const upstream = await startEnvoy({
    binary,
    bootstrap: upstreamBootstrap(upstreamPort, upstreamAdmin),
    port: upstreamPort,
    adminPort: upstreamAdmin,
    folder: upstreamFolder,
  });
  atEnd(upstream.stop);
  const bootstrap = await benchBootstrap([...sites.values()], { admin, upstream: upstreamPort });
  const envoy = await startEnvoy({ binary, bootstrap, port: own[0] ?? 0, adminPort: admin, folder });
  atEnd(envoy.stop);

  const places = contenders.map((contender): Place => {
    const key = JSON.stringify(contender.processor);
    const routes = contender.processor.kind === "engine" ? contender.processor.routes : 1;
    return {
      contender,
      port: sites.get(key)?.port ?? 0,
      requests: benchRequests(workOf(contender.processor), contender.load, routes),
      running: runs.get(key),
    };
  });
  return { envoyPid: envoy.process.pid, places };
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

/** Likely to be free, and all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const held: HeldPort[] = await Promise.all(Array.from({ length: count }, () => holdPort()));
  await Promise.all(held.map(({ release }) => release()));
  return held.map(({ port }) => port);
}
