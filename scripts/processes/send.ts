import { type Agent, type OutgoingHttpHeaders, request } from "node:http";
import { type HeaderLine, headerLines } from "./header-lines.ts";

export interface ClientRequest {
  readonly method?: string;
  readonly path: string;
  /** Characters up to U+00FF; each is sent as one byte. */
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Keeps connections; without one each request has its own. */
  readonly agent?: Agent;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly body: string;
}

const timeoutMs = 30_000;

/** One HTTP/1.1 request to a port on loopback. Rejects when no whole answer came, after 30 s at the latest. */
export function send(port: number, { method = "GET", path, headers = {}, body, agent }: ClientRequest): Promise<ClientResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, method, path, headers, agent: agent ?? false, signal: AbortSignal.timeout(timeoutMs) },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: headerLines(incoming.rawHeaders),
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
