import { createServer, type Server } from "node:net";

/** A TCP port that nobody else gets until it is released. After that it is only likely to be free. */
export interface HeldPort {
  readonly port: number;
  release(): Promise<void>;
}

/** Hold all the ports that are needed before the first is released: then they differ. Rejects when the machine has no such address. */
export function holdPort(host = "127.0.0.1"): Promise<HeldPort> {
  return hold(0, host);
}

const rowTriesMax = 20;

/** Holds as many ports that follow each other, of which the first is told. Rejects when there are none in 20 places. */
export async function holdPortsInARow(count: number): Promise<HeldPort> {
  for (let tries = 1; ; tries++) {
    const first = await holdPort();
    const held = [first];
    try {
      for (let index = 1; index < count; index++) held.push(await hold(first.port + index, "127.0.0.1"));
      return { port: first.port, release: () => releaseAll(held) };
    } catch (error) {
      await releaseAll(held);
      if (tries === rowTriesMax) throw error;
    }
  }
}

async function hold(port: number, host: string): Promise<HeldPort> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return { port: portOf(server), release: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function releaseAll(held: readonly HeldPort[]): Promise<void> {
  await Promise.all(held.map(({ release }) => release()));
}

/** The port of a server that listens. */
export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server does not listen");
  return address.port;
}
