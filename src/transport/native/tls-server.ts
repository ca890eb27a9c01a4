import type { Server, Socket } from "node:net";
import { createServer } from "node:tls";
import type { ServerTls } from "../../kernel/transport.ts";
import { handshakeOptions, secureContextOptions } from "../tls-context.ts";

export interface TlsServer {
  readonly server: Server;
  /** Ends every connection, also those whose handshake has not ended. */
  destroy(): void;
}

/** Hands on the sockets of clients that speak HTTP/2 over TLS (ALPN `h2`, RFC 9113 3.2), when their handshake has ended. */
export function createTlsServer(tls: ServerTls, take: (socket: Socket) => void): TlsServer {
  const accepted = new Set<Socket>();
  const options = { ...secureContextOptions(tls.read()), ...handshakeOptions(tls), ALPNProtocols: ["h2"] };
  const server = createServer(options, (socket) => {
    if (socket.alpnProtocol !== "h2") {
      socket.destroy();
      return;
    }
    // RFC 9113 9.2.1.
    socket.disableRenegotiation();
    take(socket);
  });
  server.on("connection", (socket: Socket) => {
    accepted.add(socket);
    socket.once("close", () => accepted.delete(socket));
  });
  tls.watch((material) => server.setSecureContext(secureContextOptions(material)));
  return {
    server,
    destroy: () => {
      for (const socket of accepted) socket.destroy();
    },
  };
}
