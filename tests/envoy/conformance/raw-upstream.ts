/** The server behind Envoy, on bare TCP: it keeps every byte, and answers with the bytes that a case says. */
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { portOf } from "../../../scripts/processes/free-port.ts";
import type { HeaderLine } from "../../../scripts/processes/header-lines.ts";
import type { UpstreamScript } from "./case.ts";
import { bodyEnd, type Framing, readHead, requestFraming } from "./http1-message.ts";
import { pieceBytes } from "./pieces.ts";

export interface RawUpstream {
  readonly port: number;
  /** What the requests from now on are answered with. */
  begin(script: UpstreamScript): void;
  /** The requests since `begin`, as a server understands the bytes. */
  seen(): readonly RawRequest[];
  stop(): Promise<void>;
}

export interface RawRequest {
  readonly line: string;
  readonly headers: readonly HeaderLine[];
  /** Every byte behind the headers, as far as it has come. */
  readonly raw: Buffer;
}

/** Where a script says no other. */
export const usualAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** Rejects when it cannot listen. */
export async function startRawUpstream(): Promise<RawUpstream> {
  let script: UpstreamScript = {};
  let requests: { line: string; headers: readonly HeaderLine[]; raw: Buffer }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Envoy cuts connections whose request it gives up.
    socket.on("error", () => {});
    let waiting = Buffer.alloc(0);
    let current: { request: { raw: Buffer }; framing: Framing; ended: PromiseWithResolvers<void> } | undefined;
    const answer = async (requestEnd: Promise<void>): Promise<void> => {
      const { answer: pieces = usualAnswer } = script;
      for (const piece of typeof pieces === "string" ? [{ send: pieces }] : pieces) {
        if (piece === "leave") socket.destroy();
        else if (piece === "request-end") await requestEnd;
        else if ("waitMs" in piece) await sleep(piece.waitMs);
        else socket.write(pieceBytes(piece));
      }
    };
    const read = (): boolean => {
      if (current === undefined) {
        const head = readHead(waiting);
        if (head === undefined) return false;
        const request = { line: head.line, headers: head.headers, raw: Buffer.alloc(0) };
        requests.push(request);
        current = { request, framing: requestFraming(head), ended: Promise.withResolvers() };
        waiting = waiting.subarray(head.bytes);
        if (script.at === "headers" || current.framing.kind === "open") void answer(current.ended.promise);
        return true;
      }
      const end = bodyEnd(waiting, current.framing);
      current.request.raw = waiting.subarray(0, end ?? waiting.length);
      if (end === undefined) return false;
      waiting = waiting.subarray(end);
      current.ended.resolve();
      if (script.at !== "headers") void answer(current.ended.promise);
      current = undefined;
      return waiting.length > 0;
    };
    socket.on("data", (bytes) => {
      const upgraded = current?.framing.kind === "open";
      waiting = Buffer.concat([waiting, bytes]);
      while (read());
      if (upgraded && script.echo === true) socket.write(bytes);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: portOf(server),
    begin(next) {
      script = next;
      requests = [];
    },
    seen: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
