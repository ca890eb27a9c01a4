/** An upstream that keeps what it gets and answers when the request has come to its end. */
import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { portOf } from "../../../scripts/processes/free-port.ts";
import type { PlainMessage } from "./plain-message.ts";

export interface MirrorUpstream {
  readonly port: number;
  /** The answer to the requests from now on. */
  answerWith(answer: PlainMessage): void;
  /** The last request that came to its end; undefined when none has since the last call. */
  takeRequest(): PlainMessage | undefined;
  stop(): Promise<void>;
}

export async function startMirrorUpstream(protocol: "http1" | "http2"): Promise<MirrorUpstream> {
  let answer: PlainMessage = { pieces: [], trailers: {} };
  let seen: PlainMessage | undefined;
  const handle = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
    const pieces: Uint8Array[] = [];
    request.on("data", (bytes: Uint8Array) => pieces.push(bytes));
    let isCut = false;
    request.once("error", () => {});
    // Node's HTTP/2 tells of an end behind a reset as well.
    request.once("aborted", () => {
      isCut = true;
    });
    request.once("end", () => {
      if (isCut) return;
      const trailers = Object.entries(request.trailers).filter(([name]) => !name.startsWith(":"));
      seen = {
        headers: codingOf(request.headers),
        pieces: [Buffer.concat(pieces)],
        trailers: Object.fromEntries(trailers.map(([name, value]) => [name, String(value)])),
      };
      if (protocol === "http1" && Object.keys(answer.trailers).length > 0)
        response.setHeader("trailer", Object.keys(answer.trailers).join());
      response.statusCode = 200;
      for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
      // Else an answer without data would end with its headers.
      if ("flushHeaders" in response) response.flushHeaders();
      for (const piece of answer.pieces) (response as ServerResponse).write(piece);
      response.addTrailers(answer.trailers);
      response.end();
    });
  };
  const server = protocol === "http1" ? createHttp1Server(handle) : createHttp2Server(handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: portOf(server),
    answerWith(next) {
      answer = next;
    },
    takeRequest() {
      const taken = seen;
      seen = undefined;
      return taken;
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export function codingOf(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const coding = headers["content-encoding"];
  return coding === undefined ? {} : { "content-encoding": String(coding) };
}
