/** A running Envoy and its engines -> what is wrong with them. */
import { valueNode } from "../config/value-node.ts";
import { checkEnvoyNode } from "../envoy-config/check.ts";
import { checkRuntimeValues } from "../envoy-config/check-runtime.ts";
import type { EnvoyDemands } from "../envoy-config/demands.ts";
import { type Entrance, findEntrances } from "../envoy-config/entrances.ts";
import { type Fetch, pageUrl, readAdmin, readAdminJson } from "./admin-port.ts";
import {
  checkElsewhere,
  checkEngineCounts,
  checkEngineState,
  type EngineState,
  readEngine,
  readEngineCounters,
  type WatchedEngine,
} from "./check-engines.ts";
import { checkServer, type ServerState, serverState } from "./check-server.ts";
import { checkTraffic, type Traffic, trafficOf } from "./check-traffic.ts";
import { type Counters, growth, readCounters, type Span } from "./counters.ts";
import { asFinding, type Finding, sortFindings } from "./finding.ts";
import { type Probe, sendProbe } from "./probe.ts";

export interface Patient {
  readonly envoyAdmin: URL;
  readonly engineAdmins: readonly URL[];
  /** What settings and configuration demand of Envoy, and the configuration's hash. */
  readonly demands: EnvoyDemands;
  readonly hash: string;
  readonly probes: readonly Probe[];
}

export interface Instruments {
  readonly fetch: Fetch;
  /** How long the counters are watched, and what waits so long. */
  readonly waitMs: number;
  readonly wait: () => Promise<void>;
}

export interface Diagnosis {
  readonly envoy: ServerState;
  readonly engines: readonly EngineState[];
  readonly traffic: readonly Traffic[];
  /** The worst first. */
  readonly findings: readonly Finding[];
}

/** Rejects when Envoy's admin port cannot be read: without it nothing is known. Reads only, besides the probes. */
export async function diagnose(patient: Patient, { fetch, waitMs, wait }: Instruments): Promise<Diagnosis> {
  const { envoyAdmin, demands, hash } = patient;
  const envoy = serverState(await readAdminJson(fetch, envoyAdmin, "server_info").catch(unreadable));
  const dump = await readPage(fetch, envoyAdmin, "config_dump");
  const runtime = await readPage(fetch, envoyAdmin, "runtime");
  const entrances = findEntrances(dump);
  const asked = await Promise.all(patient.engineAdmins.map((port) => readEngine(fetch, port)));
  const engines = asked.filter((one): one is EngineState => "port" in one);
  const unreachable = asked.filter((one): one is Finding => "code" in one);

  // Envoy's are read within the engines', so that what Envoy has asked within its while an engine has seen within its own.
  const engineCounters = (): Promise<readonly (Counters | undefined)[]> =>
    Promise.all(engines.map((engine) => readEngineCounters(fetch, engine)));
  const engineBefore = await engineCounters();
  const before = await readStats(fetch, envoyAdmin, entrances);
  const probed = (await Promise.all(patient.probes.map((probe) => sendProbe(fetch, probe)))).flat();
  await wait();
  const span: Span = { before, after: await readStats(fetch, envoyAdmin, entrances) };
  const engineAfter = await engineCounters();

  const watched = engines.flatMap(({ port }, index): readonly WatchedEngine[] => {
    const [first, last] = [engineBefore[index], engineAfter[index]];
    return first === undefined || last === undefined ? [] : [{ port, before: first, after: last }];
  });
  const traffic = entrances.map((entrance) => trafficOf(entrance, span));
  const failed = growth(span, ...entrances.flatMap(({ filterCounters }) => filterCounters.map((prefix) => `${prefix}streams_failed`)));
  const answered = traffic.reduce((sum, one) => sum + one.asked, 0) - failed;
  return {
    envoy,
    engines,
    traffic,
    findings: sortFindings([
      ...checkServer(envoy, pageUrl(envoyAdmin, "server_info").href),
      ...[...checkEnvoyNode(dump, demands), ...checkRuntimeValues(runtime)].map(asFinding),
      ...entrances.flatMap((entrance) => checkTraffic(entrance, span, pageUrl(envoyAdmin, "stats").href, waitMs)),
      ...probed,
      ...unreachable,
      ...engines.flatMap((engine) => checkEngineState(engine, hash)),
      ...watched.flatMap((engine) => checkEngineCounts(engine, waitMs)),
      ...(watched.length === patient.engineAdmins.length ? checkElsewhere(watched, answered, waitMs) : []),
    ]),
  };
}

function unreadable(error: unknown): never {
  throw new Error(`Envoy's admin port does not answer: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

async function readPage(fetch: Fetch, port: URL, path: string): Promise<ReturnType<typeof valueNode>> {
  return valueNode(await readAdminJson(fetch, port, path), { uri: pageUrl(port, path).href, line: 1, column: 1 });
}

/** Of thousands of counters those of the entrances and of the engines' clusters. */
async function readStats(fetch: Fetch, port: URL, entrances: readonly Entrance[]): Promise<Counters> {
  const wanted = entrances.flatMap((one) => [...one.counters, ...one.filterCounters, ...one.clusters.map(({ counters }) => counters)]);
  if (wanted.length === 0) return new Map();
  const filter = `^(${wanted.map(escaped).join("|")})`;
  return readCounters(await readAdmin(fetch, port, `stats?filter=${encodeURIComponent(filter)}`));
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
