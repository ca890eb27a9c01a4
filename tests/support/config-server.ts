/** A web server that configuration comes from, and that can be wrong in every way. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TlsOptions } from "node:tls";
import { portOf } from "../../scripts/processes/free-port.ts";

export type Respond = (request: IncomingMessage, response: ServerResponse) => void;

export interface ConfigServer {
  readonly port: number;
  /** What was asked, in order: path and the headers that matter. */
  readonly asked: readonly { readonly path: string; readonly etag: string | undefined; readonly authorization: string | undefined }[];
  /** From now on it answers like this. */
  answer(respond: Respond): void;
  /** Ends it, and every connection with it. */
  stop(): Promise<void>;
}

/** @param port 0: a free one; another one to take the place of a server that is gone */
export async function startConfigServer(respond: Respond, port = 0, tls?: TlsOptions): Promise<ConfigServer> {
  const asked: ConfigServer["asked"][number][] = [];
  let current = respond;
  const listener: RequestListener = (request, response) => {
    const { "if-none-match": etag, authorization } = request.headers;
    asked.push({ path: request.url ?? "", etag, authorization });
    current(request, response);
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: portOf(server),
    asked,
    answer: (next) => {
      current = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function etagOf(text: string): string {
  return `"${createHash("sha256").update(text).digest("hex")}"`;
}

/** A whole document, with a hash of its content as its ETag where the server gives one. */
export function yaml(text: string, headers: Readonly<Record<string, string>> = { etag: etagOf(text) }): Respond {
  return (request, response) => {
    if (headers.etag !== undefined && request.headers["if-none-match"] === headers.etag) response.writeHead(304).end();
    else response.writeHead(200, { "content-type": "application/yaml", ...headers }).end(text);
  };
}
