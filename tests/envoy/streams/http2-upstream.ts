/** An upstream over HTTP/2 that answers as a test says, and knows whether a request has come to its end or was broken off. */
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { portOf } from "../../../scripts/processes/free-port.ts";
import type { StageUpstream } from "../conformance/conformance-stage.ts";

/** What it does next. Its answer begins with the first bytes. */
export type Http2Piece =
  | { readonly send: string }
  | { readonly waitMs: number }
  /** RST_STREAM with this code (RFC 9113 7), and no END_STREAM before it. */
  | { readonly reset: "no-error" | "internal-error" }
  /** The connection is gone, with all streams on it. */
  | "disconnect"
  /** END_STREAM. */
  | "end"
  /** What follows waits for the end of the request. */
  | "request-end";

export interface SeenRequest {
  readonly body: string;
  /** Undefined while it is under way. */
  readonly ended: "whole" | "cut" | undefined;
}

export interface Http2Upstream extends StageUpstream {
  /** What the requests from now on are answered with. */
  begin(pieces: readonly Http2Piece[]): void;
  /** The requests since `begin`. */
  seen(): readonly SeenRequest[];
}

export async function startHttp2Upstream(): Promise<Http2Upstream> {
  let script: readonly Http2Piece[] = [];
  let requests: SeenRequest[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream) => {
    const request: { body: string; ended: SeenRequest["ended"] } = { body: "", ended: undefined };
    requests.push(request);
    stream.on("error", () => {});
    stream.on("data", (bytes: Buffer) => {
      request.body += bytes.toString("latin1");
    });
    const requestEnd = new Promise<void>((resolve) => {
      // Node tells of an end before a reset as well.
      stream.once("end", () =>
        setImmediate(() => {
          if (request.ended === undefined) request.ended = stream.aborted ? "cut" : "whole";
          resolve();
        }),
      );
    });
    stream.once("close", () => {
      request.ended ??= "cut";
    });
    void answer(stream, script, requestEnd);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: portOf(server),
    begin(pieces) {
      script = pieces;
      requests = [];
    },
    seen: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

async function answer(stream: ServerHttp2Stream, pieces: readonly Http2Piece[], requestEnd: Promise<void>): Promise<void> {
  for (const piece of pieces) {
    if (stream.destroyed) return;
    if (piece === "request-end") await requestEnd;
    else if (piece === "end") stream.end();
    else if (piece === "disconnect") stream.session?.destroy();
    else if ("waitMs" in piece) await sleep(piece.waitMs);
    // `close` would end the answer first, as if it were whole.
    else if ("reset" in piece) stream.destroy(piece.reset === "no-error" ? undefined : new Error("as asked"));
    else {
      if (!stream.headersSent) stream.respond({ ":status": 200 });
      stream.write(piece.send);
    }
  }
}
