/** The last replies and failures, found by the engine's id of the exchange or by Envoy's request id. */
import type { DecisionSummary, FailedStep } from "./explanation.ts";
import { decodeText } from "./header-store.ts";
import type { ReceivedRequest } from "./received.ts";
import type { FinalReply } from "./reply.ts";
import type { StepFailure } from "./run.ts";

/** How an exchange was answered in place of the upstream. */
export interface ReplyFacts {
  readonly request: ReceivedRequest;
  readonly chain: string | undefined;
  readonly generation: number | undefined;
  readonly reply: FinalReply;
  readonly durationMs: number;
}

export interface RecentDecisions {
  /** Both return what is known of the exchange now. */
  failed(failure: StepFailure): DecisionSummary;
  replied(facts: ReplyFacts): DecisionSummary;
  find(id: string): DecisionSummary | undefined;
}

/**
 * @param decisionsMax how many are kept; the oldest go first
 * @param redact removes secret values from what a policy has written
 */
export function createRecentDecisions(decisionsMax: number, redact: (text: string) => string): RecentDecisions {
  const byId = new Map<string, DecisionSummary>();
  const idOfRequest = new Map<string, string>();

  const keep = (summary: DecisionSummary): DecisionSummary => {
    const { id, requestId } = summary;
    byId.set(id, summary);
    if (requestId !== undefined) idOfRequest.set(requestId, id);
    const [oldest] = byId.values();
    if (byId.size > decisionsMax && oldest !== undefined) forget(oldest);
    return summary;
  };
  const forget = ({ id, requestId }: DecisionSummary): void => {
    byId.delete(id);
    if (requestId !== undefined && idOfRequest.get(requestId) === id) idOfRequest.delete(requestId);
  };

  return {
    failed({ request, generation, chain, step, policy, phase, code, skipped, durationMs }) {
      const failure: FailedStep = { step, policy, phase, code, handled: skipped ? "skip" : "deny" };
      const failures = [...(byId.get(request.id)?.failures ?? []), failure];
      const nothing = { status: undefined, reason: undefined };
      return keep({ ...exchangeFacts(request), generation, chain, outcome: "continued", ...nothing, code, step, failures, durationMs });
    },
    replied({ request, generation, chain, reply, durationMs }) {
      const { status, code, step = reply.failedStep } = reply;
      const outcome = reply.step === undefined ? "refused" : "replied";
      const reason = reply.reason === undefined ? undefined : redact(reply.reason);
      const failures = byId.get(request.id)?.failures ?? [];
      return keep({ ...exchangeFacts(request), generation, chain, outcome, status, code, step, reason, failures, durationMs });
    },
    find: (id) => byId.get(id) ?? byId.get(idOfRequest.get(id) ?? ""),
  };
}

/** Envoy's own are UUIDs; a client that may choose its id could fill the memory with it. */
const requestIdBytesMax = 128;

function exchangeFacts({ id, time, route, headers }: ReceivedRequest): Pick<DecisionSummary, "id" | "requestId" | "time" | "route"> {
  const requestId = headers.find(({ name, value }) => name === "x-request-id" && value.length <= requestIdBytesMax);
  return { id, requestId: requestId && decodeText(requestId.value), time: new Date(time).toISOString(), route: route.name };
}
