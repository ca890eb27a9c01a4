/** An upstream that speaks over connections that are upgraded or tunnelled: it greets, says everything back, and ends after a farewell. */
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { portOf } from "../../../scripts/processes/free-port.ts";
import type { StageUpstream } from "../conformance/conformance-stage.ts";

/** What it says first, so that both sides have said something that the other did not ask for. */
export const greeting = "hello from upstream;";
export const farewell = "bye;";

export interface TunnelUpstream extends StageUpstream {
  /** All that came over the last tunnel, and whether it is still open. */
  tunnel(): { readonly heard: string; readonly isOpen: boolean };
  /** How many were asked for. */
  requests(): number;
}

export async function startTunnelUpstream(protocol: "http1" | "http2"): Promise<TunnelUpstream> {
  let heard = "";
  let isOpen = false;
  let requests = 0;
  const open = new Set<Duplex>();
  const speak = (tunnel: Duplex, head: Buffer | string): void => {
    heard = "";
    isOpen = true;
    open.add(tunnel);
    tunnel.on("error", () => {});
    tunnel.once("close", () => {
      open.delete(tunnel);
      isOpen = false;
    });
    tunnel.once("end", () => tunnel.end());
    tunnel.on("data", (bytes: Buffer) => {
      heard += bytes.toString();
      if (heard.endsWith(farewell)) tunnel.end(bytes);
      else tunnel.write(bytes);
    });
    tunnel.write(head);
    tunnel.write(greeting);
  };
  const server = protocol === "http1" ? createHttp1Server() : createHttp2Server({ settings: { enableConnectProtocol: true } });
  if (protocol === "http1") {
    server.on("upgrade", (_request, socket: Duplex) => {
      requests += 1;
      speak(socket, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    });
    server.on("connect", (_request, socket: Duplex) => {
      requests += 1;
      speak(socket, "HTTP/1.1 200 OK\r\n\r\n");
    });
  } else {
    server.on("stream", (stream: ServerHttp2Stream) => {
      requests += 1;
      stream.respond({ ":status": 200 });
      speak(stream, "");
    });
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: portOf(server),
    tunnel: () => ({ heard, isOpen }),
    requests: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const tunnel of open) tunnel.destroy();
      }),
  };
}
