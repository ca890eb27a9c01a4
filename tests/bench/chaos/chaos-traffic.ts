/** Requests over HTTP/1 and HTTP/2, one after another for each client, and every answer looked at. */
import { Agent } from "node:http";
import { setImmediate } from "node:timers/promises";
import { valuesOf } from "../../../scripts/processes/header-lines.ts";
import { type ClientResponse, send } from "../../../scripts/processes/send.ts";
import { http2Client } from "../lifetime/http2-client.ts";
import type { Route } from "./configurations.ts";

export interface ChaosTraffic {
  /** Requests sent so far. */
  readonly sent: Readonly<Record<Route, number>>;
  /** When an answer with this stamp came first, milliseconds on the monotonic clock. */
  readonly firstSeen: ReadonlyMap<string, number>;
  /** Answers that are not what they should be: how many, and the first of them. */
  readonly wrong: { readonly count: number; readonly first: readonly string[] };
  /** Resolves when every request has its answer. */
  stop(): Promise<void>;
}

const clientsPerVersion = 4;
/** Of so many answers one is late, so that its request and its response meet different configurations. */
const lateEvery = 8;
const lateMs = 200;
const faultsShownMax = 10;

export function startChaosTraffic(port: number): ChaosTraffic {
  const sent = { orders: 0, reports: 0 };
  const firstSeen = new Map<string, number>();
  const wrong = { count: 0, first: [] as string[] };
  const http2 = http2Client(port, 2);
  let going = true;

  const client = async (ask: (path: string, headers: Record<string, string>) => Promise<ClientResponse>): Promise<void> => {
    for (let number = 0; going; number++) {
      const route = number % 2 === 0 ? "orders" : "reports";
      sent[route] += 1;
      const late = number % lateEvery === 0 ? { "x-answer": JSON.stringify({ delayMs: lateMs }) } : {};
      const seen = await ask(`/${route}`, late).then((response) => judge(route, response), fault);
      if ("fault" in seen) {
        wrong.count += 1;
        if (wrong.first.length < faultsShownMax) wrong.first.push(`${route}: ${seen.fault}`);
        // A request on a connection that is gone fails at once: nothing else would have its turn.
        await setImmediate();
      } else if (!firstSeen.has(seen.stamp)) firstSeen.set(seen.stamp, performance.now());
    }
  };
  const clients = Array.from({ length: clientsPerVersion }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await Promise.all([
      client((path, headers) => send(port, { path, headers, agent })),
      client((path, headers) => http2.send({ path, headers })),
    ]);
    agent.destroy();
  });
  return {
    sent,
    firstSeen,
    wrong,
    async stop() {
      going = false;
      await Promise.all(clients);
      http2.close();
    },
  };
}

type Seen = { readonly stamp: string } | { readonly fault: string };

const fault = (error: unknown): Seen => ({ fault: `no answer: ${String(error)}` });

/** The request as the upstream saw it and the response carry two stamps each, all of one good configuration of the route. */
function judge(route: Route, { status, headers, body }: ClientResponse): Seen {
  if (status !== 200) return { fault: `status ${status}: ${body.trim()}` };
  const upstream: { readonly headers: ClientResponse["headers"] } = JSON.parse(body);
  const stamps = [upstream.headers, headers].flatMap((lines) =>
    ["x-stamp", "x-stamp-again"].map((name) => valuesOf(lines, name).join("+")),
  );
  const [stamp = "", ...others] = stamps;
  if (!stamp.startsWith(`${route}-good-`) || others.some((other) => other !== stamp)) return { fault: `stamps ${stamps.join(", ")}` };
  return { stamp };
}
