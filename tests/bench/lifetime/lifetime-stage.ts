/** A slow upstream, the engine as it is shipped and an Envoy with the configuration that `policy-engine envoy` prints for it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findEnvoy } from "../../../scripts/envoy.mjs";
import { createCleanup } from "../../../scripts/processes/cleanup.ts";
import { type Data, readData, replaceAt, type Way, writeData } from "../../../scripts/processes/data.ts";
import { clusterPlace, envoyPlaces, moveEnvoy } from "../../../scripts/processes/envoy-bootstrap.ts";
import { holdPort } from "../../../scripts/processes/free-port.ts";
import { type Engine, startEngine } from "../../../scripts/processes/start-engine.ts";
import { type Envoy, startEnvoy } from "../../../scripts/processes/start-envoy.ts";
import { temporaryFolder } from "../../../scripts/processes/temporary-folder.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { policies } from "../../../src/generated/registry.ts";
import type { TransportKind } from "../../../src/transport/create-transport.ts";
import { demandsOf } from "../../config/envoy/support.ts";
import { inspectable, inspectorOf } from "../live-memory.ts";
import { type EchoUpstream, startEchoUpstream } from "./echo-upstream.ts";
import { type FivePolicies, startFivePolicies } from "./five-policies.ts";

export interface LifetimeStage {
  readonly upstream: EchoUpstream;
  readonly five: FivePolicies;
  readonly engine: Engine;
  /** Where the engine's inspector is. */
  readonly inspector: string;
  readonly envoy: Envoy;
  close(): Promise<void>;
}

export interface LifetimeSetting {
  readonly transport: TransportKind;
  /** Whether Envoy half-closes a stream that the engine has ended, in place of resetting it. It is off unless somebody switches it on. */
  readonly gracefulClose: "on" | "off";
}

/** @param delayMs how slow the upstream is. Rejects when something does not start; what was started before has then been ended. */
export async function startLifetimeStage(setting: LifetimeSetting, delayMs: number): Promise<LifetimeStage> {
  const cleanup = createCleanup();
  try {
    return { ...(await start(setting, delayMs, cleanup.add)), close: cleanup.run };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start(
  { transport, gracefulClose }: LifetimeSetting,
  delayMs: number,
  atEnd: (end: () => Promise<unknown>) => void,
): Promise<Omit<LifetimeStage, "close">> {
  const binary = findEnvoy();
  if (binary === undefined) throw new Error("there is no Envoy: `node scripts/envoy.mjs` fetches it or says how to get it");
  const { path: folder, remove } = await temporaryFolder();
  atEnd(remove);
  const five = await startFivePolicies();
  atEnd(five.stop);
  const upstream = await startEchoUpstream(delayMs);
  atEnd(upstream.stop);
  const held = await Promise.all([holdPort(), holdPort(), holdPort()]);
  const [listener, admin, engineAdmin] = held;
  await Promise.all(held.map(({ release }) => release()));

  const policiesFile = join(folder, "policies.yaml");
  await writeFile(policiesFile, five.policies);
  const socket = join(folder, "engine.sock");
  const settings: Data = {
    version: 1,
    transport,
    listen: [`unix:${socket}`],
    admin: `tcp:127.0.0.1:${engineAdmin.port}`,
    providers: [{ file: { paths: [policiesFile] } }],
    envoy: { allowModeOverride: true },
    // Envoy ends before the engine: there is nobody to wait for.
    shutdown: { drainDelay: "0s", grace: "5s" },
    // A line for each reply would be work for whoever reads it.
    log: { level: "warn" },
  };
  const engine = await startEngine({ name: "engine", settings, adminPort: engineAdmin.port, folder, nodeOptions: inspectable });
  atEnd(engine.stop);

  const demands = await demandsOf(writeData(settings), five.policies, policies);
  const printed = forManyRequests(readData(printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 1 } })));
  const bootstrap = moveEnvoy(gracefulClose === "off" ? printed : replaceAt(printed, ["layered_runtime"], gracefully), {
    listener: { host: "127.0.0.1", port: listener.port },
    admin: { host: "127.0.0.1", port: admin.port },
    upstream: { host: "127.0.0.1", port: upstream.port },
    engines: [{ socket }],
  });
  const envoy = await startEnvoy({ binary, bootstrap, port: listener.port, adminPort: admin.port, folder });
  atEnd(envoy.stop);
  return { upstream, five, engine, inspector: await inspectorOf(engine.process), envoy };
}

/** What is printed, but for the access log and for what is about the upstream and its routes, which are everybody's own; over one connection. */
function forManyRequests(printed: Data): Data {
  const edits: readonly (readonly [Way, Data])[] = [
    [[...envoyPlaces.connectionManager, "access_log"], []],
    // The default of 15 s is for upstreams that are not slow on purpose.
    [[...envoyPlaces.routes, { name: "guarded" }, "route", "timeout"], "0s"],
    // Its own default of 1024 is not the engine's limit.
    [[...clusterPlace("upstream"), "circuit_breakers"], { thresholds: [{ max_requests: 100_000, max_pending_requests: 100_000 }] }],
    [[...clusterPlace("upstream"), "typed_extension_protocol_options"], http2],
    // As printed, it opens another one for every 4096.
    [
      [...clusterPlace("policy_engine"), ...protocolOptions, "explicit_http_config", "http2_protocol_options", "max_concurrent_streams"],
      16_000,
    ],
  ];
  return edits.reduce((data, [way, value]) => replaceAt(data, way, value), printed);
}

const gracefully: Data = {
  layers: [{ name: "bench", static_layer: { "envoy.reloadable_features.ext_proc_graceful_grpc_close": true } }],
};

const protocolOptionsType = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const protocolOptions = ["typed_extension_protocol_options", protocolOptionsType] as const;

/** One connection for each request would be more than many systems allow a process to have. */
const http2: Data = {
  [protocolOptionsType]: {
    "@type": `type.googleapis.com/${protocolOptionsType}`,
    explicit_http_config: { http2_protocol_options: {} },
  },
};
