/** ext_proc and health on an HTTP/2 server of our own: see ARCHITECTURE.md for why it is there and what keeps it safe. */
import { createServer, type Server, type Socket } from "node:net";
import type { CutOff, ServerTls, Transport, TransportOptions } from "../../kernel/transport.ts";
import { freeSocketPath } from "../socket-path.ts";
import { createAcceptRequest } from "./grpc/accept-request.ts";
import { HuffmanDecoder } from "./hpack/huffman-decoder.ts";
import { createStaticTable } from "./hpack/static-table.ts";
import { Memory } from "./http2/memory.ts";
import { defaultLimits, type NativeLimits } from "./limits.ts";
import { SocketConnection, type SocketConnectionParts } from "./socket-connection.ts";
import { createTlsServer, type TlsServer } from "./tls-server.ts";

type ListenAddress = TransportOptions["addresses"][number];

export interface NativeParts {
  readonly monotonicMs: () => number;
  /** Default: `defaultLimits`. */
  readonly limits?: NativeLimits;
}

export function createNativeTransport(options: TransportOptions, { monotonicMs, limits = defaultLimits }: NativeParts): Transport {
  const servers: Server[] = [];
  const tlsServers: TlsServer[] = [];
  const connections = new Set<SocketConnection>();
  let ticking: NodeJS.Timeout | undefined;
  let whenEmpty = (): void => {};

  let draining = false;
  /** Whoever only keeps connections open does not keep others out. */
  const makeRoom = (): boolean => {
    let idlest: SocketConnection | undefined;
    for (const connection of connections) {
      const { idleSinceMs } = connection;
      if (idleSinceMs !== undefined && idleSinceMs < (idlest?.idleSinceMs ?? Number.POSITIVE_INFINITY)) idlest = connection;
    }
    if (idlest === undefined) return false;
    connections.delete(idlest);
    idlest.giveWay();
    return true;
  };
  const take = (socket: Socket, parts: SocketConnectionParts): void => {
    if (connections.size >= limits.connectionsMax && !makeRoom()) {
      socket.destroy();
      parts.cutOff(tooManyConnections);
      return;
    }
    const connection = new SocketConnection(socket, parts);
    connections.add(connection);
    socket.once("close", () => {
      connections.delete(connection);
      if (connections.size === 0) whenEmpty();
    });
    // Its handshake began before.
    if (draining) connection.drain();
  };
  const createSocketServer = ({ kind }: ListenAddress, parts: SocketConnectionParts, tls: ServerTls | undefined): Server => {
    if (kind === "unix" || tls === undefined) return createServer((socket) => take(socket, parts));
    const tlsServer = createTlsServer(tls, { take: (socket) => take(socket, parts), cutOff: parts.cutOff });
    tlsServers.push(tlsServer);
    return tlsServer.server;
  };
  const stopListening = (): void => {
    for (const server of servers.splice(0)) server.close();
  };

  return {
    async listen(open, tls) {
      const { serving, messageBytesMax, cutOff = () => {} } = options;
      const parts = {
        accept: createAcceptRequest({ open, serving, messageBytesMax }),
        tables: { huffman: new HuffmanDecoder(), staticTable: createStaticTable() },
        limits,
        memory: new Memory(limits, messageBytesMax),
        messageBytesMax,
        monotonicMs,
        cutOff,
      };
      const bound: ListenAddress[] = [];
      try {
        for (const address of options.addresses) {
          const server = createSocketServer(address, parts, tls);
          server.maxConnections = 2 * limits.connectionsMax;
          server.on("drop", () => cutOff(tooManyConnections));
          servers.push(server);
          bound.push(await bind(server, address));
        }
      } catch (error) {
        stopListening();
        throw error;
      }
      ticking = setInterval(() => {
        for (const connection of connections) connection.tick();
      }, tickMs).unref();
      return bound;
    },
    drain() {
      draining = true;
      stopListening();
      for (const connection of connections) connection.drain();
      return new Promise((resolve) => {
        whenEmpty = resolve;
        if (connections.size === 0) resolve();
      });
    },
    async close() {
      clearInterval(ticking);
      stopListening();
      for (const connection of connections) connection.destroy();
      for (const { destroy } of tlsServers) destroy();
    },
  };
}

const tooManyConnections: CutOff = { reason: "connections", detail: "there are too many connections" };

/** How often connections are looked at, ms. */
const tickMs = 500;

async function bind(server: Server, address: ListenAddress): Promise<ListenAddress> {
  switch (address.kind) {
    case "unix":
      await freeSocketPath(address.path);
      await listening(server, { path: address.path }, `unix:${address.path}`);
      return address;
    case "tcp": {
      const { host, port } = address;
      await listening(server, { host, port }, `tcp:${host}:${port}`);
      const bound = server.address();
      return typeof bound === "object" && bound !== null ? { ...address, port: bound.port } : address;
    }
    default:
      return address satisfies never;
  }
}

function listening(
  server: Server,
  where: { readonly path: string } | { readonly host: string; readonly port: number },
  text: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", (error) => reject(new Error(`cannot listen on ${text}: ${error.message}`, { cause: error })));
    server.listen(where, resolve);
  });
}
