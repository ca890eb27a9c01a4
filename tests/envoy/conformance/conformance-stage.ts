/** An Envoy of a setting, the engine that it asks and the upstream behind it. */
import { join } from "node:path";
import { findEnvoy } from "../../../scripts/envoy.mjs";
import { createCleanup } from "../../../scripts/processes/cleanup.ts";
import { type Data, readData, replaceAt, type Way } from "../../../scripts/processes/data.ts";
import { clusterPlace, envoyPlaces, moveEnvoy } from "../../../scripts/processes/envoy-bootstrap.ts";
import { holdPort } from "../../../scripts/processes/free-port.ts";
import { type Envoy, startEnvoy } from "../../../scripts/processes/start-envoy.ts";
import { temporaryFolder } from "../../../scripts/processes/temporary-folder.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { type Chains, conformanceChains, type Setting } from "./case.ts";
import { conformanceDemands } from "./demands.ts";
import { type RawUpstream, startRawUpstream } from "./raw-upstream.ts";
import { type RecordedEngine, startRecordedEngine } from "./recorded-engine.ts";

export interface StageUpstream {
  readonly port: number;
  stop(): Promise<void>;
}

export interface ConformanceStage<Upstream extends StageUpstream = RawUpstream> {
  readonly upstream: Upstream;
  readonly engine: RecordedEngine;
  readonly envoy: Envoy;
  close(): Promise<void>;
}

/** Rejects when something does not start; what was started before has then been ended. */
export async function startConformanceStage(setting: Setting, chains: Chains = conformanceChains()): Promise<ConformanceStage> {
  return await startStageBefore(setting, startRawUpstream, chains);
}

/** The same with another upstream. */
export async function startStageBefore<Upstream extends StageUpstream>(
  setting: Setting,
  startUpstream: () => Promise<Upstream>,
  chains: Chains = conformanceChains(),
): Promise<ConformanceStage<Upstream>> {
  const cleanup = createCleanup();
  try {
    return { ...(await start(setting, startUpstream, chains, cleanup.add)), close: cleanup.run };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start<Upstream extends StageUpstream>(
  setting: Setting,
  startUpstream: () => Promise<Upstream>,
  chains: Chains,
  atEnd: (end: () => Promise<unknown>) => void,
): Promise<Omit<ConformanceStage<Upstream>, "close">> {
  const binary = findEnvoy();
  if (binary === undefined) throw new Error("there is no Envoy: `node scripts/envoy.mjs` fetches it or says how to get it");
  const { path: folder, remove } = await temporaryFolder();
  atEnd(remove);
  const upstream = await startUpstream();
  atEnd(upstream.stop);
  const socket = join(folder, "engine.sock");
  const engine = await startRecordedEngine(setting, chains, socket);
  atEnd(engine.stop);
  const [listener, admin] = await Promise.all([holdPort(), holdPort()]);
  await Promise.all([listener.release(), admin.release()]);
  const bootstrap = moveEnvoy(await bootstrapOf(setting, chains), {
    listener: { host: "127.0.0.1", port: listener.port },
    admin: { host: "127.0.0.1", port: admin.port },
    upstream: { host: "127.0.0.1", port: upstream.port },
    engines: [{ socket }],
  });
  const envoy = await startEnvoy({ binary, bootstrap, port: listener.port, adminPort: admin.port, folder });
  atEnd(envoy.stop);
  return { upstream, engine, envoy };
}

/** What `policy-engine envoy` prints for the chains, with the protocols that the cases speak. */
async function bootstrapOf(setting: Setting, chains: Chains): Promise<Data> {
  const { modes = "asked", upstream = "http1", matches = {}, manager = {}, filter = {} } = setting;
  const demands = await conformanceDemands(setting, chains);
  const printed = readData(printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 1 } }));
  const edits: readonly (readonly [Way, Data])[] = [
    ...(modes === "printed" ? [] : withoutModes(demands.routes.keys())),
    ...Object.entries(matches).map(([name, match]) => [[...envoyPlaces.routes, { name }, "match"], match] as const),
    ...Object.entries({ ...spokenProtocols, ...manager }).map(([key, data]) => [[...envoyPlaces.connectionManager, key], data] as const),
    ...Object.entries(filter).map(([key, data]) => [[...envoyPlaces.extProc, key], data] as const),
    [[...envoyPlaces.connectionManager, "http2_protocol_options", "allow_connect"], true],
    [[...clusterPlace("upstream"), "typed_extension_protocol_options"], upstreamProtocols[upstream]],
  ];
  return edits.reduce((data, [way, value]) => replaceAt(data, way, value), printed);
}

function withoutModes(routes: Iterable<string>): readonly (readonly [Way, Data])[] {
  return [...routes].map((name) => [[...envoyPlaces.routes, { name }, "typed_per_filter_config"], {}] as const);
}

const spokenProtocols: Readonly<Record<string, Data>> = {
  http_protocol_options: { enable_trailers: true },
  upgrade_configs: [{ upgrade_type: "websocket" }],
};

const upstreamProtocols: Readonly<Record<NonNullable<Setting["upstream"]>, Data>> = {
  http1: protocolOptions({ http_protocol_options: { enable_trailers: true } }),
  http2: protocolOptions({ http2_protocol_options: {} }),
};

function protocolOptions(options: Data): Data {
  const type = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return { [type]: { "@type": `type.googleapis.com/${type}`, explicit_http_config: options } };
}
