import { Agent } from "node:http";
import { type ClientRequest, type ClientResponse, send } from "../../scripts/processes/send.ts";

/** What came of one request of the traffic. */
export type TrafficResult =
  | { readonly kind: "answered"; readonly request: ClientRequest; readonly response: ClientResponse; readonly endedAt: number }
  /** No whole answer came. */
  | { readonly kind: "broken"; readonly request: ClientRequest; readonly error: Error; readonly endedAt: number };

export interface Traffic {
  /** What has come back so far, in that order. */
  readonly results: readonly TrafficResult[];
  /** Resolves when every request that was under way has come to its end. */
  stop(): Promise<readonly TrafficResult[]>;
}

export interface TrafficPlan {
  readonly port: number;
  /** How many clients; each sends its next request when its last one is answered, on a connection that it keeps. */
  readonly clients: number;
  /** The next request. */
  readonly next: () => ClientRequest;
}

export function startTraffic({ port, clients, next }: TrafficPlan): Traffic {
  const results: TrafficResult[] = [];
  let going = true;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (going) {
      const request = next();
      results.push(
        await send(port, { ...request, agent }).then(
          (response) => ({ kind: "answered", request, response, endedAt: performance.now() }) as const,
          (error: Error) => ({ kind: "broken", request, error, endedAt: performance.now() }) as const,
        ),
      );
    }
    agent.destroy();
  };
  const ended = Promise.all(Array.from({ length: clients }, client));
  return {
    results,
    async stop() {
      going = false;
      await ended;
      return results;
    },
  };
}

/** The results that are anything but an answer with this status, in short; empty when all is well. */
export function notAnswered(results: readonly TrafficResult[], status: number): readonly string[] {
  return results.flatMap((result) => {
    if (result.kind === "broken") return [`${result.request.path}: ${result.error.message}`];
    return result.response.status === status ? [] : [`${result.request.path}: ${result.response.status} ${result.response.body.trim()}`];
  });
}
