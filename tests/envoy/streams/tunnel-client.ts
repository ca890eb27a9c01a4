/** A client that asks for a connection of another kind through Envoy, and what it hears over it. */
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:http2";
import type { Duplex } from "node:stream";

export interface TunnelClient {
  readonly status: number;
  /** Undefined where the request was answered instead. */
  readonly tunnel: Tunnel | undefined;
}

export interface Tunnel {
  say(text: string): void;
  /** Goes away without a word. */
  leave(): void;
  /** Settles when what has come is so. Rejects when the tunnel closes before, or after 10 s. */
  until(holds: (text: string) => boolean): Promise<void>;
  /** All that has come. */
  heard(): string;
  /** The other side has said its last, or is gone. */
  readonly closed: Promise<void>;
}

/** `websocket`: an upgrade in HTTP/1, in HTTP/2 an extended CONNECT (RFC 8441); `connect`: a plain one, to an authority. */
export type Asked = { readonly kind: "websocket"; readonly path: string } | { readonly kind: "connect"; readonly authority: string };

export function openTunnel(protocol: "http1" | "http2", port: number, asked: Asked): Promise<TunnelClient> {
  return protocol === "http1" ? overHttp1(port, asked) : overHttp2(port, asked);
}

async function overHttp1(port: number, asked: Asked): Promise<TunnelClient> {
  const asking = request({
    host: "127.0.0.1",
    port,
    agent: false,
    ...(asked.kind === "websocket"
      ? { path: asked.path, headers: { connection: "upgrade", upgrade: "websocket" } }
      : { method: "CONNECT", path: asked.authority }),
  });
  const answered = new Promise<TunnelClient>((resolve, reject) => {
    asking.once("error", reject);
    asking.once("response", (response) => {
      resolve({ status: response.statusCode ?? 0, tunnel: undefined });
      response.destroy();
    });
    asking.once(asked.kind === "websocket" ? "upgrade" : "connect", (response, socket, head) => {
      const status = response.statusCode ?? 0;
      // Node hands over the connection whatever the answer to a CONNECT is.
      if (status < 300) return resolve({ status, tunnel: tunnelOver(socket, head) });
      socket.destroy();
      resolve({ status, tunnel: undefined });
    });
  });
  asking.end();
  return await answered;
}

async function overHttp2(port: number, asked: Asked): Promise<TunnelClient> {
  const session = connect(`http://127.0.0.1:${port}`);
  // Whether a CONNECT may name a protocol (RFC 8441) is only known then.
  await once(session, "remoteSettings");
  const stream = session.request(
    asked.kind === "websocket"
      ? { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":authority": "example.com", ":path": asked.path }
      : { ":method": "CONNECT", ":authority": asked.authority },
    { endStream: false },
  );
  stream.once("close", () => session.destroy());
  const [headers] = await once(stream, "response");
  const status = Number(headers[":status"]);
  if (status === 200) return { status, tunnel: tunnelOver(stream, Buffer.alloc(0)) };
  stream.destroy();
  return { status, tunnel: undefined };
}

const hearMsMax = 10_000;

function tunnelOver(duplex: Duplex, head: Buffer): Tunnel {
  let heard = head.toString("latin1");
  duplex.on("error", () => {});
  duplex.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1");
  });
  return {
    say: (text) => void duplex.write(text),
    leave: () => void duplex.destroy(),
    heard: () => heard,
    closed: new Promise((resolve) => {
      duplex.once("end", resolve);
      duplex.once("close", resolve);
    }),
    async until(holds) {
      const signal = AbortSignal.timeout(hearMsMax);
      while (!holds(heard)) {
        if (duplex.closed) throw new Error(`the tunnel has closed after: ${heard.slice(0, 200)}`);
        await once(duplex, "data", { signal });
      }
    },
  };
}
