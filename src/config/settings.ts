/** How the process runs: text -> settings, or every problem in one run. Nothing is resolved or opened. */
import { resolve } from "node:path";
import { type Problem, problem } from "../errors.ts";
import { addressText, type ListenAddress, readAddress, readTcpAddress, type TcpAddress } from "./addresses.ts";
import { type AllowedSecret, readAllowedSecrets } from "./allowed-secrets.ts";
import { isLoopback } from "./loopback.ts";
import { readMetadataPaths } from "./metadata-paths.ts";
import { type Place, rootPlace } from "./node.ts";
import { parseYaml } from "./parse.ts";
import { sortProblems } from "./problems.ts";
import { type ProviderSettings, readProviders } from "./provider-settings.ts";
import { durationText } from "./quantities.ts";
import {
  at,
  atKey,
  type Fields,
  isNothing,
  type Report,
  readBoolean,
  readChoice,
  readDuration,
  readFields,
  readFormatVersion,
  readInteger,
  readList,
  readSize,
  readText,
  withoutEchoes,
} from "./read.ts";
import { type DecisionLogSettings, readDecisionLog, readTraces, type TraceSettings } from "./record-settings.ts";
import { reportMisplacedSecrets } from "./secrets.ts";
import { readServerTls, type ServerTlsFiles } from "./tls-settings.ts";
import type { EnvoyPromises, SourceDocument } from "./types.ts";
import { readWorkers, reportWorkerAddresses, type Workers } from "./workers.ts";

/** How the process runs. Paths are absolute. */
export interface Settings {
  /** Where Envoy finds the engine; at least one. Default: `tcp:127.0.0.1:9100`. */
  readonly listen: readonly ListenAddress[];
  /** How many processes answer Envoy, see `workerAddress` for where. Default 1: this one does. */
  readonly workers: Workers;
  /** What speaks gRPC with Envoy: the library @grpc/grpc-js, or an HTTP/2 server of our own. Default `grpc-js`. */
  readonly transport: "grpc-js" | "native";
  /** For the TCP addresses of `listen`. Undefined: they speak in clear. */
  readonly tls: ServerTlsFiles | undefined;
  /** Health, readiness, metrics, for people and probes. Default: `tcp:127.0.0.1:9101`. */
  readonly admin: TcpAddress;
  /** Where configuration comes from; at least one. */
  readonly providers: readonly ProviderSettings[];
  /** The folder where the last good generation is kept over restarts. Undefined: it is not. */
  readonly state: string | undefined;
  readonly secrets: {
    /** What text from elsewhere may refer to. Default: nothing. */
    readonly allow: readonly AllowedSecret[];
  };
  readonly envoy: EnvoyPromises;
  readonly shutdown: {
    /** How long new streams are still taken after SIGTERM, so that Envoy's health checks can notice; milliseconds. Default 3000. */
    readonly drainDelayMs: number;
    /** From SIGTERM to the end of whatever is left, milliseconds. Default 30000. */
    readonly graceMs: number;
  };
  readonly overload: {
    /** How far the event loop may be behind before new exchanges are refused, milliseconds. Default 2000. */
    readonly loopDelayMs: number;
  };
  readonly log: { readonly level: LogLevel };
  /** One line for each chosen exchange. Undefined: none is written. */
  readonly decisionLog: DecisionLogSettings | undefined;
  /** Spans of the exchanges that Envoy traces. Undefined: none are sent. */
  readonly traces: TraceSettings | undefined;
  /** Keeps what each step did to the last exchanges, for the admin port. Undefined: off, and nothing is spent on it. */
  readonly recording: { readonly exchangesMax: number } | undefined;
}

/** What is taken for promised where settings do not say: Envoy sends the least, and is told so. */
export const defaultEnvoyPromises: EnvoyPromises = {
  identity: "both",
  allowModeOverride: false,
  responseHeaders: "skipped",
  messageTimeoutMs: 10_000,
  bodyBytesMax: 10 * 1024 ** 2,
  metadata: undefined,
};

export type LogLevel = "debug" | "info" | "warn" | "error";

export type ParsedSettings =
  | { readonly settings: Settings; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[] };

/**
 * Never throws.
 *
 * @param directory absolute: where the relative paths of the settings start, that is the settings file's own folder
 * @param use `embedded`: the program around the engine is a provider, and no other is needed
 */
export function parseSettings(source: SourceDocument, directory: string, use: "alone" | "embedded" = "alone"): ParsedSettings {
  const { root, problems } = parseYaml(source);
  const found = [...problems];
  const report = withoutEchoes(problems, (next) => found.push(next));
  const settings = root && readSettings(rootPlace(root), directory, use, report);
  const sorted = sortProblems(found);
  if (settings === undefined || found.some(({ severity }) => severity === "error")) return { problems: sorted };
  return { settings, warnings: sorted };
}

/** What a settings file can have at its top. */
export const settingsKeys = [
  "version",
  "listen",
  "workers",
  "transport",
  "tls",
  "admin",
  "providers",
  "state",
  "secrets",
  "envoy",
  "shutdown",
  "overload",
  "log",
  "recording",
  "decisionLog",
  "traces",
];

function readSettings(place: Place, directory: string, use: "alone" | "embedded", report: Report): Settings | undefined {
  const fields = readFields(place, settingsKeys, report);
  if (fields === undefined) return undefined;
  for (const key of settingsKeys) if (key !== "providers") reportMisplacedSecrets(fields.optional(key), report);
  readFormatVersion(fields, report);
  const listen = readListeners(fields.optional("listen"), directory, report);
  const admin = readAdmin(fields.optional("admin"), listen, report);
  const workersPlace = fields.optional("workers");
  const workers = readWorkers(workersPlace, report);
  if (use === "alone") reportWorkerAddresses(workersPlace, workers, listen, admin, report);
  else if (workersPlace !== undefined && workers !== 1) report(problem("settings-contradiction", at(workersPlace), embeddedWorkers));
  const meaning = "where the configuration comes from, such as `[{ file: { paths: [policies.yaml] } }]`";
  const providersPlace = use === "embedded" ? fields.optional("providers") : fields.required("providers", meaning);
  const providers = readProviders(providersPlace, directory, report);
  const state = readPath(fields.optional("state"), directory, report);
  if (providersPlace !== undefined && state === undefined && providers.some(({ kind }) => kind !== "file")) {
    report(problem("state-missing", atKey(providersPlace), {}));
  }
  return {
    listen,
    workers,
    transport: readChoice(fields.optional("transport"), ["grpc-js", "native"], report) ?? "grpc-js",
    tls: readServerTls(fields.optional("tls"), directory, listen, report),
    admin,
    providers,
    state,
    secrets: { allow: readAllowedSecrets(section(fields, "secrets", ["allow"], report)?.optional("allow"), report) },
    envoy: readEnvoy(
      section(fields, "envoy", ["identity", "allowModeOverride", "responseHeaders", "messageTimeout", "bodyBytesMax", "metadata"], report),
      report,
    ),
    shutdown: readShutdown(section(fields, "shutdown", ["drainDelay", "grace"], report), report),
    overload: readOverload(section(fields, "overload", ["loopDelay"], report), report),
    log: readLog(section(fields, "log", ["level"], report), report),
    decisionLog: readDecisionLog(section(fields, "decisionLog", ["to", "sample", "headers"], report), directory, report),
    traces: readTraces(section(fields, "traces", ["to"], report), report),
    recording: readRecording(section(fields, "recording", ["exchangesMax"], report), report),
  };
}

const embeddedWorkers = {
  detail: "an engine that is a part of a program is one process",
  remedy: "remove `workers`, or start the program several times",
};

function section(fields: Fields, key: string, known: readonly string[], report: Report): Fields | undefined {
  const place = fields.optional(key);
  return place === undefined || isNothing(place) ? undefined : readFields(place, known, report);
}

function readListeners(place: Place | undefined, directory: string, report: Report): readonly ListenAddress[] {
  if (place === undefined) return [{ kind: "tcp", host: "127.0.0.1", port: 9100 }];
  const items = readList(place, report);
  if (items?.length === 0) report(problem("empty-list", at(place), { what: "addresses to listen on" }));
  const addresses: ListenAddress[] = [];
  for (const item of items ?? []) {
    const address = readAddress(item, directory, report);
    if (address === undefined) continue;
    reportSharedAddress(item, address, addresses, report);
    addresses.push(address);
  }
  return addresses;
}

function readAdmin(place: Place | undefined, listeners: readonly ListenAddress[], report: Report): TcpAddress {
  const address = (place && readTcpAddress(place, report)) ?? { kind: "tcp", host: "127.0.0.1", port: 9101 };
  if (place === undefined) return address;
  reportSharedAddress(place, address, listeners, report);
  if (!isLoopback(address.host)) report(problem("address-exposed", at(place), { address: addressText(address) }));
  return address;
}

/** Port 0 is a free port, another one each time. */
function reportSharedAddress(place: Place, address: ListenAddress, others: readonly ListenAddress[], report: Report): void {
  const text = addressText(address);
  const shared = others.some((other) => addressText(other) === text) && !(address.kind === "tcp" && address.port === 0);
  if (shared) report(problem("address-duplicate", at(place), { address: text }));
}

function readPath(place: Place | undefined, directory: string, report: Report): string | undefined {
  const path = readText(place, report);
  return path === undefined ? undefined : resolve(directory, path);
}

function readEnvoy(fields: Fields | undefined, report: Report): EnvoyPromises {
  const messageTimeout = { what: "the message timeout", min: 10, max: 60 * 60_000 };
  const bodyLimit = { what: "the body limit", min: 1, max: 1024 ** 3 };
  const otherwise = defaultEnvoyPromises;
  const metadata = fields?.optional("metadata");
  return {
    identity: readChoice(fields?.optional("identity"), ["both", "attributes", "metadata"], report) ?? otherwise.identity,
    allowModeOverride: readBoolean(fields?.optional("allowModeOverride"), report) ?? otherwise.allowModeOverride,
    responseHeaders: readChoice(fields?.optional("responseHeaders"), ["sent", "skipped"], report) ?? otherwise.responseHeaders,
    messageTimeoutMs: readDuration(fields?.optional("messageTimeout"), messageTimeout, report) ?? otherwise.messageTimeoutMs,
    bodyBytesMax: readSize(fields?.optional("bodyBytesMax"), bodyLimit, report) ?? otherwise.bodyBytesMax,
    metadata: metadata === undefined ? otherwise.metadata : readMetadataPaths(metadata, report),
  };
}

function readShutdown(fields: Fields | undefined, report: Report): Settings["shutdown"] {
  const drainPlace = fields?.optional("drainDelay");
  const gracePlace = fields?.optional("grace");
  const drainDelayMs = readDuration(drainPlace, { what: "the drain delay", min: 0, max: 10 * 60_000 }, report) ?? 3000;
  const graceMs = readDuration(gracePlace, { what: "the grace period", min: 0, max: 60 * 60_000 }, report) ?? 30_000;
  const place = drainPlace ?? gracePlace;
  if (place !== undefined && drainDelayMs > graceMs) {
    const [delay, grace] = [drainDelayMs, graceMs].map(durationText);
    const detail = `the drain delay, ${delay}, is longer than the grace period it is a part of, ${grace}`;
    report(problem("settings-contradiction", at(place), { detail, remedy: "lower `shutdown.drainDelay`, or raise `shutdown.grace`" }));
  }
  return { drainDelayMs, graceMs };
}

function readOverload(fields: Fields | undefined, report: Report): Settings["overload"] {
  const bounds = { what: "how far the event loop may be behind", min: 50, max: 60_000 };
  return { loopDelayMs: readDuration(fields?.optional("loopDelay"), bounds, report) ?? 2000 };
}

function readLog(fields: Fields | undefined, report: Report): Settings["log"] {
  return { level: readChoice(fields?.optional("level"), ["debug", "info", "warn", "error"], report) ?? "info" };
}

function readRecording(fields: Fields | undefined, report: Report): Settings["recording"] {
  const place = fields?.required("exchangesMax", "how many exchanges are kept");
  const exchangesMax = readInteger(place, { what: "the number of exchanges", min: 1, max: 100_000 }, report);
  return exchangesMax === undefined ? undefined : { exchangesMax };
}
