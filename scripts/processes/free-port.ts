import { createServer, type Server } from "node:net";

/** A TCP port that nobody else gets until it is released. After that it is only likely to be free. */
export interface HeldPort {
  readonly port: number;
  release(): Promise<void>;
}

/** Hold all the ports that are needed before the first is released: then they differ. Rejects when the machine has no such address. */
export async function holdPort(host = "127.0.0.1"): Promise<HeldPort> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  return { port: portOf(server), release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** The port of a server that listens. */
export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server does not listen");
  return address.port;
}
