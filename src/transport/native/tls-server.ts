import type { Server, Socket } from "node:net";
import { createServer } from "node:tls";
import type { ServerTls, TransportOptions } from "../../kernel/transport.ts";
import { handshakeMs, handshakeOptions, secureContextOptions } from "../tls-context.ts";

export interface TlsServer {
  readonly server: Server;
  /** Ends every connection, also those whose handshake has not ended. */
  destroy(): void;
}

export interface TlsServerHost {
  /** Gets the sockets of clients that speak HTTP/2 over TLS (ALPN `h2`, RFC 9113 3.2), when their handshake has ended. */
  take(socket: Socket): void;
  readonly cutOff: NonNullable<TransportOptions["cutOff"]>;
}

export function createTlsServer(tls: ServerTls, { take, cutOff }: TlsServerHost): TlsServer {
  const accepted = new Set<Socket>();
  /** By peer, sockets whose handshake goes on. A refused client certificate ends the socket, and Node tells nobody. */
  const shakingHands = new Map<string, Socket>();
  const refused = (detail: string): void => cutOff({ reason: "tls", detail });

  const options = { ...secureContextOptions(tls.read()), ...handshakeOptions(tls), ALPNProtocols: ["h2"] };
  const server = createServer(options, (socket) => {
    shakingHands.delete(peerOf(socket));
    if (socket.alpnProtocol !== "h2") {
      socket.destroy();
      refused("the client did not ask for HTTP/2 (ALPN `h2`)");
      return;
    }
    take(socket);
  });
  server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    accepted.add(socket);
    // Node's own limit begins again with every octet, and leaves the socket open when it is reached.
    const deadline = setTimeout(() => {
      if (shakingHands.get(peer) === socket) socket.destroy();
    }, handshakeMs).unref();
    shakingHands.set(peer, socket);
    socket.once("close", () => {
      accepted.delete(socket);
      clearTimeout(deadline);
      if (shakingHands.get(peer) !== socket) return;
      shakingHands.delete(peer);
      // Who looks only whether the port is open has sent nothing.
      if (socket.bytesRead === 0) return;
      refused("the handshake failed: no common version or protocol, or a client's certificate that `clientCa` does not vouch for");
    });
  });
  tls.watch((material) => server.setSecureContext(secureContextOptions(material)));
  return {
    server,
    destroy: () => {
      for (const socket of accepted) socket.destroy();
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
