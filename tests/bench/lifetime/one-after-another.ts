import { Agent } from "node:http";
import { send } from "../../../scripts/processes/send.ts";
import type { Call } from "./five-policies.ts";
import { share } from "./share.ts";
import { judge, type Tally } from "./tally.ts";

/** Calls over connections that are kept, each with one call at a time. Resolves when all are answered. */
export async function oneAfterAnother(port: number, calls: Iterable<Call>, connections: number, tally: Tally): Promise<void> {
  const agents = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  await share(calls, agents, (call, agent) => judge(tally, call, send(port, { path: call.path, headers: call.headers, agent })));
  for (const agent of agents) agent.destroy();
}
