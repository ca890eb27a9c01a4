/** The HTTP port for people and probes. It only reads, and only through the values it is given. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the port shows. */
export interface AdminSources {
  readonly readiness: () => Readiness;
  /** Prometheus text. */
  readonly metrics: () => string;
  /** A recorded exchange by its id; undefined when there is none. Absent when recording is off. */
  readonly recording?: (id: string) => unknown;
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

const connectionsMax = 64;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const closeTimeoutMs = 1_000;

/** Rejects when the address cannot be bound. */
export function startAdminServer(address: { readonly host: string; readonly port: number }, sources: AdminSources): Promise<AdminServer> {
  const server = createServer(
    { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs, connectionsCheckingInterval: 1_000 },
    (request, response) => answer(request, response, address.host, sources),
  );
  server.maxConnections = connectionsMax;
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(new Error(`cannot listen on tcp:${address.host}:${address.port}: ${error.message}`, { cause: error })),
    );
    server.listen(address.port, address.host, () => {
      const { port } = server.address() as AddressInfo;
      resolve({ host: address.host, port, close: () => close(server) });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), closeTimeoutMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly allow?: string;
}

const paths = ["/healthz", "/readyz", "/metrics", "/recordings/ID"];

function answer(request: IncomingMessage, response: ServerResponse, bound: string, sources: AdminSources): void {
  const { status, type, body, allow } = page(request, bound, sources);
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(allow === undefined ? {} : { allow }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function page(request: IncomingMessage, bound: string, sources: AdminSources): Page {
  if (!isExpectedHost(request.headers.host, bound)) return json(421, { error: "the Host header names another server" });
  if (request.method !== "GET" && request.method !== "HEAD") return { ...json(405, { error: "only GET and HEAD" }), allow: "GET, HEAD" };
  const [path = ""] = (request.url ?? "").split("?");
  if (path === "/healthz") return json(200, { status: "ok" });
  if (path === "/readyz") {
    const { ready, detail } = sources.readiness();
    return json(ready ? 200 : 503, { ready, ...detail });
  }
  if (path === "/metrics") return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: sources.metrics() };
  if (path.startsWith("/recordings/")) return recordingPage(path.slice("/recordings/".length), sources);
  return json(404, { error: "no such path", paths });
}

function recordingPage(id: string, { recording }: AdminSources): Page {
  if (recording === undefined) return json(404, { error: "recording is off: set `recording: { exchangesMax: 100 }` in the settings" });
  const found = recording(id);
  return found === undefined ? json(404, { error: "no recording of this exchange is kept" }) : json(200, found);
}

/** A page of another site must not read this port through a name that it makes point here (DNS rebinding). */
function isExpectedHost(host: string | undefined, bound: string): boolean {
  if (!isLoopback(bound)) return true;
  const name = (host ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name === bound || isLoopback(name);
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);

function json(status: number, body: unknown): Page {
  return { status, type: "application/json", body: `${JSON.stringify(body, undefined, 2)}\n` };
}
