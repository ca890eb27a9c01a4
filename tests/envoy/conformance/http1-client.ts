import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientSaw, WholeStimulus } from "./client.ts";
import { asChunk, bodyEnd, type MessageHead, readChunks, readHead, responseFraming, statusOf } from "./http1-message.ts";
import { answerMsMax, pieceBytes, silenceMs } from "./pieces.ts";

export function sendOverHttp1(port: number, stimulus: WholeStimulus): Promise<ClientSaw> {
  const { method, path, headers, pieces = [], endless } = stimulus;
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received = Buffer.alloc(0);
    let silence: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => finish(() => reject(new Error(`no whole answer to ${method} ${path}: ${received}`))), answerMsMax);
    const finish = (how: () => void): void => {
      clearTimeout(timer);
      clearTimeout(silence);
      socket.destroy();
      how();
    };
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const saw = answerIn(received, method, "open");
      if (saw !== undefined) return finish(() => resolve(saw));
      if (endless === undefined) return;
      written.then(() => {
        clearTimeout(silence);
        silence = setTimeout(() => finish(() => resolve(answerIn(received, method, "silent") ?? gone)), silenceMs);
      }, reject);
    });
    socket.on("error", () => {});
    socket.once("close", () => finish(() => resolve(answerIn(received, method, "closed") ?? gone)));
    const lines = [["host", "example.com"], ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"));
    const chunked = headers.some(([name, value]) => name === "transfer-encoding" && value === "chunked");
    const write = async (): Promise<void> => {
      let trailers = "";
      for (const piece of pieces) {
        if (piece === "leave") return void socket.destroy();
        if ("waitMs" in piece) await sleep(piece.waitMs);
        else if ("trailers" in piece)
          trailers = Object.entries(piece.trailers)
            .map(([name, value]) => `${name}: ${value}\r\n`)
            .join("");
        else socket.write(chunked ? asChunk(pieceBytes(piece)) : pieceBytes(piece));
      }
      if (chunked && endless !== "request") socket.write(`0\r\n${trailers}\r\n`, "latin1");
    };
    const written = write();
    written.catch(reject);
  });
}

const gone: ClientSaw = { status: "gone", headers: [], body: Buffer.alloc(0), trailers: [], ended: "cut" };

/** Undefined while it is not whole and the connection may bring more. */
function answerIn(received: Buffer, method: string, connection: "open" | "silent" | "closed"): ClientSaw | undefined {
  const found = finalHead(received);
  if (found === undefined) return undefined;
  const { head, rest } = found;
  const framing = responseFraming(head, method);
  const end = bodyEnd(rest, framing);
  if (end === undefined && connection === "open") return undefined;
  const chunks = framing.kind === "chunked" ? readChunks(rest) : undefined;
  return {
    status: statusOf(head.line),
    headers: head.headers,
    body: chunks?.body ?? rest.subarray(0, end),
    trailers: chunks?.trailers ?? [],
    ended: end === undefined && framing.kind !== "open" && connection === "closed" ? "cut" : "whole",
  };
}

/** The head behind those of 1xx answers, but for the one that switches protocols. */
function finalHead(received: Buffer): { readonly head: MessageHead; readonly rest: Buffer } | undefined {
  const head = readHead(received);
  if (head === undefined) return undefined;
  const rest = received.subarray(head.bytes);
  const status = statusOf(head.line);
  return status < 200 && status !== 101 ? finalHead(rest) : { head, rest };
}
