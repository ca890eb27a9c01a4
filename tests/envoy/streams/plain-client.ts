/** A client that sends a body piece by piece, as fast as it is taken, and reads the answer to its end. */
import { once } from "node:events";
import { Agent, request as http1Request, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { codingOf } from "./mirror-upstream.ts";
import type { PlainMessage } from "./plain-message.ts";

export interface PlainAnswer extends PlainMessage {
  readonly status: number;
}

export function exchangePlainly(protocol: "http1" | "http2", port: number, path: string, sent: PlainMessage): Promise<PlainAnswer> {
  return protocol === "http1" ? overHttp1(port, path, sent) : overHttp2(port, path, sent);
}

async function overHttp1(port: number, path: string, { headers: own = {}, pieces, trailers }: PlainMessage): Promise<PlainAnswer> {
  const agent = new Agent();
  const names = Object.keys(trailers).join();
  const framing = "content-length" in own ? {} : { "transfer-encoding": "chunked" };
  const headers = { ...own, ...framing, ...(names === "" ? {} : { trailer: names }) };
  const request = http1Request({ host: "127.0.0.1", port, path, method: "POST", agent, headers });
  const answered: Promise<[IncomingMessage]> = once(request, "response") as Promise<[IncomingMessage]>;
  for (const piece of pieces) if (!request.write(piece)) await once(request, "drain");
  request.addTrailers(trailers);
  request.end();
  const [response] = await answered;
  const body = await wholeOf(response);
  agent.destroy();
  return { status: response.statusCode ?? 0, headers: codingOf(response.headers), pieces: [body], trailers: textsOf(response.trailers) };
}

async function overHttp2(port: number, path: string, { headers: own = {}, pieces, trailers }: PlainMessage): Promise<PlainAnswer> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({ ...own, ":path": path, ":method": "POST" }, { waitForTrailers: Object.keys(trailers).length > 0 });
    stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    let status = 0;
    let coding = {};
    let received: Readonly<Record<string, string>> = {};
    stream.once("response", (headers) => {
      status = Number(headers[":status"]);
      coding = codingOf(headers);
    });
    stream.once("trailers", (headers) => {
      received = textsOf(headers);
    });
    const body = wholeOf(stream);
    for (const piece of pieces) if (!stream.write(piece)) await once(stream, "drain");
    stream.end();
    const whole = await body;
    return { status, headers: coding, pieces: [whole], trailers: received };
  } finally {
    session.destroy();
  }
}

async function wholeOf(readable: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of readable) parts.push(part);
  return Buffer.concat(parts);
}

function textsOf(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (name.startsWith(":") ? [] : [[name, String(value)]])));
}
