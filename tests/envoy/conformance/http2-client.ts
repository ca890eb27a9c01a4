import { type ClientHttp2Stream, type ClientSessionOptions, connect, constants } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { type HeaderLine, headerLines } from "../../../scripts/processes/header-lines.ts";
import type { ClientSaw, WholeStimulus } from "./client.ts";
import { answerMsMax, pieceBytes, silenceMs } from "./pieces.ts";

export function sendOverHttp2(port: number, { method, path, headers, pieces, endless }: WholeStimulus): Promise<ClientSaw> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`, lenient);
    const timer = setTimeout(() => finish(() => reject(new Error(`no whole answer to ${method} ${path}`))), answerMsMax);
    let silence: NodeJS.Timeout | undefined;
    const finish = (how: () => void): void => {
      clearTimeout(timer);
      clearTimeout(silence);
      session.destroy();
      how();
    };
    session.once("error", reject);
    // Whether a CONNECT may name a protocol (RFC 8441) is only known then.
    session.once("remoteSettings", () => {
      const trailers = pieces?.find((piece) => piece !== "leave" && "trailers" in piece);
      const stream = session.request(rawHeaders(method, path, headers), {
        endStream: pieces === undefined && endless !== "request",
        waitForTrailers: trailers !== undefined,
      });
      if (trailers !== undefined) stream.once("wantTrailers", () => stream.sendTrailers(trailers.trailers));
      const saw: { status: number | "gone"; headers: readonly HeaderLine[]; body: Buffer; trailers: readonly HeaderLine[] } = {
        status: "gone",
        headers: [],
        body: Buffer.alloc(0),
        trailers: [],
      };
      const done = (ended: "whole" | "cut"): void => finish(() => resolve({ ...saw, ended }));
      const heard = (): void => {
        if (endless === undefined) return;
        written.then(() => {
          clearTimeout(silence);
          silence = setTimeout(() => done("whole"), silenceMs);
        }, reject);
      };
      stream.once("response", (received, _flags, raw) => {
        saw.status = Number(received[":status"]);
        saw.headers = headerLines(raw);
        heard();
      });
      stream.on("data", (bytes: Buffer) => {
        saw.body = Buffer.concat([saw.body, bytes]);
        heard();
      });
      stream.once("trailers", (_received, _flags, raw) => {
        saw.trailers = headerLines(raw);
      });
      stream.once("error", () => {});
      // An answer may be whole although the stream is then reset: its request has not ended and is no longer wanted.
      stream.once("end", () => done(saw.status !== "gone" && stream.rstCode === constants.NGHTTP2_NO_ERROR ? "whole" : "cut"));
      stream.once("close", () => done("cut"));
      const written = write(stream, pieces ?? [], endless);
      written.catch(reject);
    });
  });
}

/** Several lines of one name are for Envoy to judge. Node's types know the option for servers only. */
const lenient: ClientSessionOptions & { readonly strictSingleValueFields: false } = { strictSingleValueFields: false };

async function write(
  stream: ClientHttp2Stream,
  pieces: NonNullable<WholeStimulus["pieces"]>,
  endless: WholeStimulus["endless"],
): Promise<void> {
  for (const piece of pieces) {
    // `close` would end the request first, as if it were whole.
    if (piece === "leave") return void stream.destroy();
    if ("waitMs" in piece) await sleep(piece.waitMs);
    else if (!("trailers" in piece) && stream.writable) stream.write(pieceBytes(piece));
  }
  if (endless !== "request" && stream.writable) stream.end();
}

/** In turn, names and values, as Node takes them unchanged; without what HTTP/2 has no use for (RFC 9113 8.2.2). */
function rawHeaders(method: string, path: string, lines: readonly HeaderLine[]): readonly string[] {
  const pseudo: readonly HeaderLine[] = [
    [":method", method],
    [":path", path],
    [":authority", "example.com"],
    [":scheme", "http"],
  ];
  return [...pseudo, ...lines].filter(([name]) => name !== "transfer-encoding").flat();
}
