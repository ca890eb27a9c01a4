/** The upstream, over HTTP/2 as ten thousand requests at once want it: answers late, with what arrived. */
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session } from "node:http2";
import { portOf } from "../../../scripts/processes/free-port.ts";
import { sessionMegabytesMax } from "./http2-client.ts";

export interface EchoUpstream {
  readonly port: number;
  /** Requests that have arrived. */
  hits(): number;
  /** Requests with `x-hold` that have arrived and wait to be let go of. */
  held(): number;
  /** Resolves when the request with this number is held. To be asked before it is sent. */
  arrival(number: number): Promise<void>;
  /** Answers a request that is held; without one nothing happens. */
  letGo(number: number): void;
  stop(): Promise<void>;
}

/** What the answer says about a request: what the policies are to set, and what they are to take out. */
const told = ["x-number", "x-chain", "x-user", "x-owner", "authorization", "x-api-key"] as const;

export function echoOf(headers: Partial<Record<(typeof told)[number], IncomingHttpHeaders[string]>>): string {
  return told.map((name) => `${name}=${headers[name] ?? ""}`).join(" ");
}

/** @param delayMs how long the answer to a request takes that is not held. Rejects when it cannot listen. */
export async function startEchoUpstream(delayMs: number): Promise<EchoUpstream> {
  let hits = 0;
  const arrivals = new Map<number, () => void>();
  const held = new Map<number, () => void>();
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer({ maxSessionMemory: sessionMegabytesMax });
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    hits += 1;
    // What became of it the client tells.
    stream.on("error", () => {});
    const answer = (): void => {
      if (stream.destroyed) return;
      stream.respond({ ":status": 200, "content-type": "text/plain" });
      stream.end(echoOf(headers));
    };
    if (headers["x-hold"] === undefined) return void setTimeout(answer, delayMs);
    const number = Number(headers["x-number"]);
    held.set(number, answer);
    arrivals.get(number)?.();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: portOf(server),
    hits: () => hits,
    held: () => held.size,
    arrival: (number) => new Promise((resolve) => void arrivals.set(number, resolve)),
    letGo(number) {
      held.get(number)?.();
      held.delete(number);
      arrivals.delete(number);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}
