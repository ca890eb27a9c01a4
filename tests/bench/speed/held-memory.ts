/** What an open exchange costs: memory before, and with so many held open by an upstream that is slow. */
import { readLiveMemory } from "../live-memory.ts";
import { residentBytes } from "./cpu-time.ts";
import { type BenchRequest, type Connection, openConnection } from "./http1-connection.ts";
import type { Place } from "./stage.ts";
import { delayHeader } from "./upstream.ts";

export interface HeldMemory {
  readonly contender: string;
  readonly wrong: number;
  /** Resident memory for each open exchange, bytes. */
  readonly residentBytes: number;
  /** The same of what is in use after a collection; only of a Node process that can be asked. */
  readonly liveBytes: number | undefined;
}

/** Long enough for all to be open, and for a collection. */
const holdMs = 8_000;
const openedMs = 4_000;

export async function measureHeld({ contender, running, port, requests }: Place, exchanges: number): Promise<HeldMemory | undefined> {
  if (running === undefined) return undefined;
  const read = async () => {
    // First: what is garbage is resident too.
    const live = running.inspector === undefined ? undefined : await liveBytes(running.inspector);
    return { live, resident: residentBytes(running.pid) };
  };
  const connections = await Promise.all(Array.from({ length: exchanges }, () => openConnection(port)));
  // What is made once, for the first that are open at once, is not what they hold.
  const warm = await sendAll(connections, requests);
  const before = await read();
  const answers = sendAll(connections, requests.map(held));
  await new Promise((resolve) => setTimeout(resolve, openedMs));
  const during = await read();
  const wrong = warm + (await answers);
  for (const connection of connections) connection.close();
  const each = (bytes: number): number => bytes / exchanges;
  return {
    contender: contender.name,
    wrong,
    residentBytes: each(during.resident - before.resident),
    liveBytes: during.live === undefined || before.live === undefined ? undefined : each(during.live - before.live),
  };
}

async function liveBytes(inspector: string): Promise<number> {
  const { heapBytes, externalBytes } = await readLiveMemory(inspector);
  return heapBytes + externalBytes;
}

/** How many answers were wrong. */
async function sendAll(connections: readonly Connection[], requests: readonly BenchRequest[]): Promise<number> {
  const faults = await Promise.all(
    connections.map(
      (connection, index) =>
        new Promise<string | undefined>((resolve) => {
          const request = requests[index % requests.length];
          if (request === undefined) throw new RangeError("there is nothing to send");
          connection.send(request, resolve);
        }),
    ),
  );
  return faults.filter((fault) => fault !== undefined).length;
}

function held({ bytes, answer }: BenchRequest): BenchRequest {
  const text = bytes.toString("latin1");
  return { answer, bytes: Buffer.from(text.replace("\r\n", `\r\n${delayHeader}: ${holdMs}\r\n`), "latin1") };
}
