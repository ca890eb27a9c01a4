/**
 * A GET over HTTP/2, read frame by frame: Envoy cuts a response off with RST_STREAM(NO_ERROR), which Node's client passes off as its end. What tells
 * a whole response from a part is END_STREAM (RFC 9113 8.1).
 */
import { once } from "node:events";
import { connect } from "node:net";

export interface FramedAnswer {
  readonly body: string;
  readonly ended: "whole" | "cut";
}

const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4 };
const endStream = 1;
const endHeaders = 4;
const answerMsMax = 10_000;

/** @param heard called with what has come of the body so far */
export async function getFramed(port: number, path: string, heard: (body: string) => void = () => {}): Promise<FramedAnswer> {
  const socket = connect(port, "127.0.0.1");
  socket.write(
    Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      frame(frameTypes.settings, 0, 0, Buffer.alloc(0)),
      frame(frameTypes.headers, endStream | endHeaders, 1, requestHeaders(path)),
    ]),
  );
  let received = Buffer.alloc(0);
  let body = "";
  try {
    for (;;) {
      for (let bytes = 0; received.length >= 9; received = received.subarray(bytes)) {
        bytes = 9 + received.readUIntBE(0, 3);
        if (received.length < bytes) break;
        const [type, flags = 0] = received.subarray(3);
        if (type === frameTypes.data) {
          body += received.toString("utf8", 9, bytes);
          heard(body);
        }
        if (type === frameTypes.reset) return { body, ended: "cut" };
        if ((type === frameTypes.data || type === frameTypes.headers) && (flags & endStream) !== 0) return { body, ended: "whole" };
      }
      const [more]: Buffer[] = await once(socket, "data", { signal: AbortSignal.timeout(answerMsMax) });
      received = Buffer.concat([received, more ?? Buffer.alloc(0)]);
    }
  } finally {
    socket.destroy();
  }
}

/** RFC 7541: indexed `:method GET` and `:scheme http`, then `:path` and `:authority` as literals without indexing. */
function requestHeaders(path: string): Buffer {
  const literal = (index: number, value: string): Buffer => Buffer.concat([Buffer.of(index, value.length), Buffer.from(value)]);
  return Buffer.concat([Buffer.of(0x82, 0x86), literal(0x04, path), literal(0x01, "example.com")]);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
