/**
 * The calls that policies make. Not the global fetch: that follows no private CA without a dispatcher of its own, and it hands out a body of
 * any size.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { FetchInit } from "@envoy-policy-engine/sdk";

const defaultBodyBytesMax = 1024 * 1024;
/** RFC 9110 15.2 to 15.5: answers that have no body. The platform's `Response` refuses one. */
const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

export interface OutgoingInit extends FetchInit {
  /** Our own certificate and its key as PEM, for servers that ask for one. */
  readonly cert?: string;
  readonly key?: string;
}

/**
 * One request over http or https. Resolves with the whole answer; rejects with an `Error` when there is none, when it is a redirect (whoever
 * can make a server redirect must not choose where the engine sends requests), when it changes the protocol, when its body is encoded or larger
 * than `bodyBytesMax`, and when `init.signal` fires first.
 */
export async function outgoingFetch(url: string, init: OutgoingInit): Promise<Response> {
  const target = new URL(url);
  const { bodyBytesMax = defaultBodyBytesMax } = init;
  try {
    return await exchange(target, init, bodyBytesMax);
  } catch (error) {
    throw new Error(`${init.method ?? "GET"} ${target.origin}: ${reasonOf(error)}`, { cause: error });
  }
}

function exchange(target: URL, init: OutgoingInit, bodyBytesMax: number): Promise<Response> {
  return new Promise((resolve, reject) => {
    const outgoing = startRequest(target, init);
    // Not `once`: an error after the answer would end the process.
    outgoing.on("error", reject);
    // Without a listener Node closes the connection and says nothing, so the call would never end.
    outgoing.once("upgrade", ({ statusCode }, socket) => {
      socket.destroy();
      reject(new Error(`the server changes to another protocol (${statusCode})`));
    });
    outgoing.once("response", (incoming) => {
      readAnswer(incoming, bodyBytesMax).then(resolve, (error: unknown) => {
        outgoing.destroy();
        reject(error);
      });
    });
    outgoing.end(init.body);
  });
}

function startRequest(target: URL, { method = "GET", headers = {}, signal, ca, cert, key }: OutgoingInit) {
  const options: RequestOptions = {
    method,
    headers: { "accept-encoding": "identity", ...headers },
    ...(signal === undefined ? {} : { signal }),
  };
  switch (target.protocol) {
    case "http:":
      return httpRequest(target, options);
    case "https:":
      return httpsRequest(target, { ...options, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
    default:
      throw new TypeError(`the protocol is http or https, not ${target.protocol.slice(0, -1)}`);
  }
}

async function readAnswer(incoming: IncomingMessage, bodyBytesMax: number): Promise<Response> {
  const { statusCode: status = 0, headers } = incoming;
  if (status >= 300 && status < 400 && headers.location !== undefined) throw new Error(`redirects are refused (${status})`);
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") throw new Error(`the body is encoded (${encoding}), which was not asked for`);
  const chunks: Buffer[] = [];
  let bytes = Number(headers["content-length"] ?? 0);
  const demandFitting = (): void => {
    if (bytes > bodyBytesMax) throw new Error(`the body is larger than ${bodyBytesMax} bytes`);
  };
  demandFitting();
  bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    demandFitting();
    chunks.push(chunk);
  }
  return new Response(bodilessStatuses.has(status) ? null : Buffer.concat(chunks), { status, headers: headerLines(incoming.rawHeaders) });
}

function headerLines(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? "", raw[2 * index + 1] ?? ""]);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses of one host, none of which answered.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(reasonOf).join("; ");
  return error.message;
}
