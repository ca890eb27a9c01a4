import { createServer, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { portOf } from "./free-port.ts";
import { type HeaderLine, headerLines, valuesOf } from "./header-lines.ts";

/** The server behind Envoy. Answers with what it saw, unless the request's `x-answer` header says how to answer. */
export interface Upstream {
  readonly port: number;
  /** Every request that has arrived whole, in order. */
  readonly requests: readonly SeenRequest[];
  /** The request with this `x-request-id`. */
  find(requestId: string): SeenRequest | undefined;
  stop(): Promise<void>;
}

export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: readonly HeaderLine[];
  readonly body: string;
}

/** What `x-answer` holds as JSON. */
export interface WantedAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: readonly HeaderLine[];
  readonly body?: string;
  /** Default 0. */
  readonly delayMs?: number;
}

export interface UpstreamPlan {
  /** Default: loopback. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Gets every request before it is answered. */
  readonly onRequest?: (request: SeenRequest) => void;
}

/** Rejects when it cannot listen. */
export async function startUpstream({ host = "127.0.0.1", port = 0, onRequest = () => {} }: UpstreamPlan = {}): Promise<Upstream> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const seen = { method: request.method ?? "", path: request.url ?? "", headers: headerLines(request.rawHeaders), body };
      requests.push(seen);
      onRequest(seen);
      answer(response, seen).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    });
  });
  // Envoy's own pool decides when a connection ends.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: portOf(server),
    requests,
    find: (requestId) => requests.find(({ headers }) => valuesOf(headers, "x-request-id").includes(requestId)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(response: ServerResponse, seen: SeenRequest): Promise<void> {
  const [asked = "{}"] = valuesOf(seen.headers, "x-answer");
  const wanted: WantedAnswer = JSON.parse(asked);
  const { status = 200, headers = [], delayMs = 0, body = `${JSON.stringify(seen)}\n` } = wanted;
  if (delayMs > 0) await sleep(delayMs);
  const type: readonly HeaderLine[] = headers.some(([name]) => name === "content-type") ? [] : [["content-type", "application/json"]];
  response.writeHead(status, [...type, ["x-powered-by", "the upstream"] as const, ...headers].flat());
  response.end(body);
}
