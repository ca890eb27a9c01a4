import { type ClientHttp2Session, connect } from "node:http2";
import { headerLines } from "../../../scripts/processes/header-lines.ts";
import type { ClientRequest, ClientResponse } from "../../../scripts/processes/send.ts";

export interface Http2Client {
  /** Rejects when no whole answer came. */
  send(request: Pick<ClientRequest, "path"> & { readonly headers: Readonly<Record<string, string>> }): Promise<ClientResponse>;
  close(): void;
}

/** A client of a port on loopback with as many connections; each request takes the next. */
export function http2Client(port: number, connections: number): Http2Client {
  const sessions = Array.from({ length: connections }, () => {
    const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: sessionMegabytesMax });
    // Its streams tell.
    session.on("error", () => {});
    return session;
  });
  let next = 0;
  return {
    send({ path, headers }) {
      const session = sessions[next++ % sessions.length];
      if (session === undefined) throw new RangeError("a client needs a connection");
      return sendOn(session, { ":path": path, ...headers });
    },
    close() {
      for (const session of sessions) session.destroy();
    },
  };
}

/** Of either side's sessions: a thousand streams that wait hold more than Node's limit of 10 MB. */
export const sessionMegabytesMax = 200;

function sendOn(session: ClientHttp2Session, headers: Readonly<Record<string, string>>): Promise<ClientResponse> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers);
    let status = 0;
    let lines: ClientResponse["headers"] = [];
    let body = "";
    stream.setEncoding("utf8");
    stream.once("response", (received, _flags, raw) => {
      status = Number(received[":status"]);
      lines = headerLines(raw);
    });
    stream.on("data", (text: string) => {
      body += text;
    });
    stream.once("end", () => resolve({ status, headers: lines, body }));
    stream.once("error", reject);
    stream.once("close", () => reject(new Error("the stream was closed before its end")));
  });
}
