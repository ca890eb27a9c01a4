/** An exchange whose bodies are both on their way at once, offered as fast as they are taken, and taken slowly. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { portOf } from "../../../scripts/processes/free-port.ts";
import { bodyPieces } from "./masked-body.ts";
import { readSlowly } from "./slow-reader.ts";

export interface SlowExchange {
  /** Of each body, about. */
  readonly bodyBytes: number;
  /** What either side reads. */
  readonly bytesPerSecond: number;
}

/** The hashes of what has arrived. */
export interface Arrived {
  readonly upstream: string;
  readonly client: string;
}

export interface SlowUpstream {
  readonly port: number;
  /** One exchange through an Envoy. Rejects when a body is broken off. */
  exchange(envoyPort: number, plan: SlowExchange): Promise<Arrived>;
  stop(): void;
}

const textHeaders = { "content-type": "text/plain" };

export async function startSlowUpstream(): Promise<SlowUpstream> {
  const arrivals = new Map<string, (asked: IncomingMessage, answer: ServerResponse) => void>();
  const server = createServer((asked, answer) => arrivals.get(asked.url ?? "")?.(asked, answer));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let count = 0;
  return {
    port: portOf(server),
    async exchange(envoyPort, plan) {
      count += 1;
      const path = `/mask/${count}`;
      const upstream = new Promise<string>((resolve, reject) => {
        arrivals.set(path, (asked, answer) => void mirror(asked, answer, plan).then(resolve, reject));
      });
      const [client, arrived] = await Promise.all([ask(envoyPort, path, plan), upstream]);
      arrivals.delete(path);
      return { upstream: arrived, client };
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function ask(port: number, path: string, { bodyBytes, bytesPerSecond }: SlowExchange): Promise<string> {
  const asking = request({ host: "127.0.0.1", port, path, method: "POST", headers: textHeaders, agent: false });
  const answered = once(asking, "response");
  const [[answer]] = await Promise.all([
    answered.then(async ([response]: IncomingMessage[]) => [await readAnswer(response, bytesPerSecond)] as const),
    pipeline(Readable.from(bodyPieces(bodyBytes)), asking),
  ]);
  return answer;
}

async function readAnswer(response: IncomingMessage | undefined, bytesPerSecond: number): Promise<string> {
  if (response?.statusCode !== 200) throw new Error(`Envoy has answered ${response?.statusCode}`);
  return await readSlowly(response, bytesPerSecond);
}

/** The answer begins at once, and ends after the request: one that is whole before ends the request. */
async function mirror(asked: IncomingMessage, answer: ServerResponse, { bodyBytes, bytesPerSecond }: SlowExchange): Promise<string> {
  const arrived = readSlowly(asked, bytesPerSecond);
  answer.writeHead(200, textHeaders);
  async function* pieces(): AsyncGenerator<Buffer> {
    let last: Buffer | undefined;
    for (const piece of bodyPieces(bodyBytes)) {
      if (last !== undefined) yield last;
      last = piece;
    }
    await arrived;
    if (last !== undefined) yield last;
  }
  const [hash] = await Promise.all([arrived, pipeline(Readable.from(pieces()), answer)]);
  return hash;
}
