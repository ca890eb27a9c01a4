/** The HTTP port for people and probes. It knows only the values it is given, and changes nothing but by a rollback. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIPv6 } from "node:net";
import { metricsContentType } from "../observe/metrics.ts";
import { type ConfigurationSources, configurationPage, configurationPaths } from "./configuration.ts";
import { type ExplainSource, explainPage, explainPath } from "./explain.ts";
import { decoded, type Eventually, json, type Page, whenThere } from "./page.ts";
import { type RollbackSource, rollbackPage, rollbackTarget } from "./rollback.ts";

/** What the port shows. */
export interface AdminSources extends ConfigurationSources {
  readonly readiness: () => Eventually<Readiness>;
  /** Prometheus text. */
  readonly metrics: () => Eventually<string>;
  /** What is kept of an exchange, by the engine's id or Envoy's request id; undefined when nothing is. */
  readonly decision: (id: string) => Eventually<object | undefined>;
  readonly explain: ExplainSource;
  readonly rollback: RollbackSource;
}

export interface Readiness {
  readonly ready: boolean;
  /** Facts for people: generation, refusals, probes. No secrets. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AdminServer {
  readonly host: string;
  /** The port in use, also when 0 was asked for. */
  readonly port: number;
  /** Answers what is being asked and closes; what is left after a second is cut. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves `GET` and `HEAD` of `/healthz` (200 while the process runs), `/readyz` (200 or 503, with the facts behind it), `/metrics`,
 * `/config`, `/generations`, `/routes/NAME` and `/decisions/ID`, and `POST` of `/explain` and
 * `/generations/N/rollback`. Rejects when the address cannot be bound.
 *
 * Limits: 64 connections, 5 s for the headers of a request, 10 s without anything read or written.
 */
export function startAdminServer(address: { readonly host: string; readonly port: number }, sources: AdminSources): Promise<AdminServer> {
  const { host } = address;
  const server = createServer(
    { headersTimeout: headersTimeoutMs, requestTimeout: idleTimeoutMs, connectionsCheckingInterval: 1_000, maxHeaderSize: headerBytesMax },
    (request, response) => respond(request, response, host, sources),
  );
  server.maxConnections = connectionsMax;
  server.timeout = idleTimeoutMs;
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(new Error(`cannot listen on ${addressText(address)}: ${error.message}`, { cause: error })));
    server.listen(address.port, host, () => resolve({ host, port: portOf(server), close: () => close(server) }));
  });
}

const connectionsMax = 64;
const headerBytesMax = 8 * 1024;
const headersTimeoutMs = 5_000;
const idleTimeoutMs = 10_000;
const closeTimeoutMs = 1_000;

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the admin server listens on TCP only");
  return address.port;
}

function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `tcp:${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), closeTimeoutMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}

const paths = ["/healthz", "/readyz", "/metrics", ...configurationPaths, "/decisions/ID", "POST /explain", "POST /generations/N/rollback"];
const decisionPath = "/decisions/";

function answer(response: ServerResponse, { status, body, headers }: Page): void {
  response.writeHead(status, {
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  // Node leaves the body of an answer to HEAD out.
  response.end(body);
}

function respond(request: IncomingMessage, response: ServerResponse, bound: string, sources: AdminSources): void {
  const made = page(request, bound, sources);
  if (!(made instanceof Promise)) return answer(response, made);
  // Whoever asked may have gone away: then this is written to nobody.
  made.then(
    (later) => answer(response, later),
    (error: unknown) => answer(response, failedPage(error)),
  );
}

/** At once wherever that is possible: Node answers bytes that it does not understand before anybody else can. */
function page(request: IncomingMessage, bound: string, sources: AdminSources): Eventually<Page> {
  if (!isExpectedHost(request.headers.host, bound)) {
    return json(421, { error: "the Host header names another server: ask for localhost or for the address this port is bound to" });
  }
  const path = request.url?.split("?")[0] ?? "";
  const generation = rollbackTarget(path);
  if (generation !== undefined) return rollbackPage(request, generation, sources.rollback);
  if (path === explainPath) return explainPage(request, sources.explain);
  if (request.method !== "GET" && request.method !== "HEAD") {
    // Whatever body comes with it is not read, so nothing else can be read from the connection.
    return json(405, { error: "only GET and HEAD" }, { allow: "GET, HEAD", connection: "close" });
  }
  try {
    return pageAt(path, sources);
  } catch (error) {
    return failedPage(error);
  }
}

function failedPage(error: unknown): Page {
  return json(500, { error: `this page cannot be made: ${error instanceof Error ? error.message : String(error)}` });
}

function pageAt(path: string, sources: AdminSources): Eventually<Page> {
  if (path === "/healthz") return json(200, { status: "ok" });
  if (path === "/readyz") {
    return whenThere(sources.readiness(), ({ ready, detail }) => json(ready ? 200 : 503, { ready, ...detail }));
  }
  if (path === "/metrics") {
    return whenThere(sources.metrics(), (body) => ({ status: 200, body, headers: { "content-type": metricsContentType } }));
  }
  if (path === "/metrics") {
    return whenThere(sources.metrics(), (body) => ({ status: 200, body, headers: { "content-type": metricsContentType } }));
  }
  if (path.startsWith(decisionPath)) return decisionPage(path.slice(decisionPath.length), sources);
  return configurationPage(path, sources) ?? json(404, { error: "no such path", paths });
}

function decisionPage(encoded: string, { decision }: AdminSources): Eventually<Page> {
  const id = decoded(encoded);
  const found = id === undefined ? undefined : decision(id);
  return whenThere(found, (one) => (one === undefined ? json(404, { error: notKept }) : json(200, one)));
}

const notKept =
  "nothing is kept of this exchange: the last 1000 replies and failures leave a summary, and with `recording: { exchangesMax: 100 }` in the settings the last exchanges a timeline";

/** A page of another site must not read this port through a name that it makes point here (DNS rebinding). */
function isExpectedHost(host: string | undefined, bound: string): boolean {
  if (!isLoopback(bound)) return true;
  const name = (host ?? "")
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1");
  return isLoopback(name) || name === bound.toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
