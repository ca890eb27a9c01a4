import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findEnvoy } from "../envoy.mjs";
import { createCleanup } from "./cleanup.ts";
import { type Data, readData, replaceAt } from "./data.ts";
import { demoConfig, moveSettings } from "./demo-configs.ts";
import { type EngineAddress, moveEnvoy, type TcpAddress } from "./envoy-bootstrap.ts";
import { holdPort, holdPortsInARow } from "./free-port.ts";
import { type Engine, startEngine } from "./start-engine.ts";
import { type Envoy, startEnvoy } from "./start-envoy.ts";
import { startUpstream, type Upstream } from "./start-upstream.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** An upstream, engines and an Envoy that are wired to each other as `configs/demo` says, on free loopback ports. */
export interface Stage {
  readonly folder: string;
  /** What the engines load: a file of its own in `folder`. */
  readonly policiesFile: string;
  readonly upstream: Upstream;
  /** The first of the engines. */
  readonly engine: Engine;
  readonly engines: readonly Engine[];
  readonly envoy: Envoy;
  /** Another process in the place of an engine that has ended. */
  startAgain(engine: Engine): Promise<Engine>;
  /** Ends everything and removes the folder. Idempotent. */
  close(): Promise<void>;
}

export interface StagePlan {
  /** The engines' configuration. Default: `configs/demo/policies.yaml`. */
  readonly policies?: string;
  /** Names of the engines, one process each. Default: one, `engine`. */
  readonly engines?: readonly string[];
  /** How many workers each engine has. Default 1: it is one process. */
  readonly workers?: number;
  /** What an engine is started from. Default: the program of this checkout. */
  readonly program?: string;
  /** What the engines' Node is started with. Default: nothing. */
  readonly nodeOptions?: readonly string[];
  /** What Envoy asks the engines through. Default `unix`. */
  readonly carrier?: "unix" | "tcp";
  /** Changes `configs/demo/settings.yaml`. */
  readonly settings?: (settings: Data) => Data;
  /** Envoy's configuration, with the names and places of the default. Default: `configs/demo/envoy.yaml`. */
  readonly envoy?: string;
  /** Changes it, when everything has its address. */
  readonly bootstrap?: (bootstrap: Data) => Data;
  /** Whether an engine must be ready or only listening before Envoy starts. Default `ready`. */
  readonly until?: "ready" | "listening";
}

/** Rejects when something does not start; what was started before has then been ended. */
export async function startStage(plan: StagePlan = {}): Promise<Stage> {
  const cleanup = createCleanup();
  try {
    const stage = await start(plan, cleanup.add);
    return { ...stage, close: cleanup.run };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start(plan: StagePlan, atEnd: (end: () => Promise<unknown>) => void): Promise<Omit<Stage, "close">> {
  const binary = findEnvoy();
  if (binary === undefined) throw new Error("there is no Envoy: `node scripts/envoy.mjs` fetches it or says how to get it");
  const { path: folder, remove } = await temporaryFolder();
  atEnd(remove);
  const policiesFile = join(folder, "policies.yaml");
  await writeFile(policiesFile, plan.policies ?? (await demoConfig("policies.yaml")));

  const upstream = await startUpstream();
  atEnd(upstream.stop);

  const { ingress, envoyAdmin, seats } = await findSeats(plan, folder, policiesFile);
  const startInSeat = async ({ name, adminPort, settings }: Seat, until: "ready" | "listening"): Promise<Engine> => {
    const engine = await startEngine({
      name,
      settings,
      adminPort,
      folder,
      until,
      ...(plan.program === undefined ? {} : { program: plan.program }),
      ...(plan.nodeOptions === undefined ? {} : { nodeOptions: plan.nodeOptions }),
    });
    atEnd(engine.stop);
    return engine;
  };
  const engines: Engine[] = [];
  for (const seat of seats) engines.push(await startInSeat(seat, plan.until ?? "ready"));
  const [engine] = engines;
  if (engine === undefined) throw new Error("a stage needs an engine");

  const moved = moveEnvoy(readData(plan.envoy ?? (await demoConfig("envoy.yaml"))), {
    listener: loopback(ingress),
    admin: loopback(envoyAdmin),
    upstream: loopback(upstream.port),
    engines: seats.flatMap(({ addresses }) => addresses),
  });
  const envoy = await startEnvoy({ binary, bootstrap: plan.bootstrap?.(moved) ?? moved, port: ingress, adminPort: envoyAdmin, folder });
  atEnd(envoy.stop);

  const startAgain = async (ended: Engine): Promise<Engine> => {
    const seat = seats.find(({ adminPort }) => adminPort === ended.adminPort);
    if (seat === undefined || ended.process.running()) throw new Error("only an engine of this stage that has ended can be started again");
    return startInSeat(seat, "ready");
  };
  return { folder, policiesFile, upstream, engine, engines, envoy, startAgain };
}

interface Seat {
  readonly name: string;
  /** One for each worker. */
  readonly addresses: readonly EngineAddress[];
  readonly adminPort: number;
  readonly settings: Data;
}

/** Gives everybody ports that differ from each other's. */
async function findSeats(
  { engines: names = ["engine"], workers = 1, carrier = "unix", settings: change = (settings) => settings }: StagePlan,
  folder: string,
  policiesFile: string,
): Promise<{ readonly ingress: number; readonly envoyAdmin: number; readonly seats: readonly Seat[] }> {
  const [ingress, envoyAdmin] = await Promise.all([holdPort(), holdPort()]);
  const held = await Promise.all(names.map(async (name) => ({ name, own: await holdPortsInARow(workers), admin: await holdPort() })));
  await Promise.all([ingress, envoyAdmin, ...held.flatMap(({ own, admin }) => [own, admin])].map(({ release }) => release()));
  const settings = readData(await demoConfig("settings.yaml"));
  const seats = held.map(({ name, own, admin }): Seat => {
    const address = carrier === "tcp" ? loopback(own.port) : { socket: join(folder, `${name}.sock`) };
    const moved = moveSettings(settings, address, admin.port, policiesFile);
    return {
      name,
      addresses: Array.from({ length: workers }, (_, index) => workerAddress(address, index)),
      adminPort: admin.port,
      settings: change(workers === 1 ? moved : replaceAt(moved, ["workers"], workers)),
    };
  });
  return { ingress: ingress.port, envoyAdmin: envoyAdmin.port, seats };
}

/** As the settings derive it. */
function workerAddress(address: EngineAddress, index: number): EngineAddress {
  if (index === 0) return address;
  return "socket" in address ? { socket: `${address.socket}.${index}` } : { ...address, port: address.port + index };
}

function loopback(port: number): TcpAddress {
  return { host: "127.0.0.1", port };
}
