/** The last replies and failures, and the last recorded exchanges, found by the engine's id of the exchange or by Envoy's request id. */
import type { Decision, DecisionSummary, Explanation, FailedStep } from "./explanation.ts";
import { decodeText } from "./header-store.ts";
import type { ReceivedRequest } from "./received.ts";
import { createRedaction } from "./redaction.ts";
import type { FinalReply } from "./reply.ts";
import type { StepFailure } from "./run-host.ts";

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
  /** A recorded exchange has come to its end. */
  explained(explanation: Explanation): void;
  find(id: string): Decision | undefined;
}

export interface RecentLimits {
  /** How many replies and failures are kept; the oldest go first. */
  readonly summariesMax: number;
  /** How many recorded exchanges. */
  readonly timelinesMax: number;
}

/** @param redact removes the secrets that the engine has read */
export function createRecentDecisions(limits: RecentLimits, redact: (text: string) => string): RecentDecisions {
  const summaries = createRing<DecisionSummary>(limits.summariesMax);
  const timelines = createRing<Explanation>(limits.timelinesMax);

  const keep = (summary: DecisionSummary): DecisionSummary => {
    const timeline = timelines.get(summary.id);
    if (timeline !== undefined) timelines.put({ ...timeline, ...summary });
    summaries.put(summary);
    return summary;
  };

  return {
    failed({ request, generation, chain, step, policy, phase, code, handled, durationMs }) {
      const failure: FailedStep = { step, policy, phase, code, handled };
      const failures = [...(summaries.get(request.id)?.failures ?? []), failure];
      const nothing = { status: undefined, reason: undefined };
      return keep({ ...exchangeFacts(request), generation, chain, outcome: "continued", ...nothing, code, step, failures, durationMs });
    },
    replied({ request, generation, chain, reply, durationMs }) {
      const { status, code, step = reply.failedStep } = reply;
      const outcome = reply.step === undefined ? "refused" : "replied";
      const reason = reply.reason === undefined ? undefined : safeReason(reply.reason, request, redact);
      const failures = summaries.get(request.id)?.failures ?? [];
      return keep({ ...exchangeFacts(request), generation, chain, outcome, status, code, step, reason, failures, durationMs });
    },
    explained(explanation) {
      timelines.put(explanation);
    },
    find(id) {
      const timeline = timelines.find(id);
      if (timeline !== undefined) return { detail: "timeline", ...timeline };
      const summary = summaries.find(id);
      return summary && { detail: "summary", ...summary };
    },
  };
}

/** A policy may quote what it was given. */
function safeReason(reason: string, { headers }: ReceivedRequest, redact: (text: string) => string): string {
  const redaction = createRedaction(redact);
  redaction.learn(headers.entries());
  return redaction.text(reason, reasonUnitsMax);
}

/** As long as a reply's reason may be. */
const reasonUnitsMax = 512;

interface Ring<Value> {
  put(value: Value): void;
  get(id: string): Value | undefined;
  /** By either id. */
  find(id: string): Value | undefined;
}

/** The last values by id; the oldest go first. */
function createRing<Value extends Pick<DecisionSummary, "id" | "requestId">>(valuesMax: number): Ring<Value> {
  const byId = new Map<string, Value>();
  const idOfRequest = new Map<string, string>();
  const forget = ({ id, requestId }: Value): void => {
    byId.delete(id);
    if (requestId !== undefined && idOfRequest.get(requestId) === id) idOfRequest.delete(requestId);
  };
  return {
    put(value) {
      const { id, requestId } = value;
      byId.set(id, value);
      if (requestId !== undefined) idOfRequest.set(requestId, id);
      const [oldest] = byId.values();
      if (byId.size > valuesMax && oldest !== undefined) forget(oldest);
    },
    get: (id) => byId.get(id),
    find: (id) => byId.get(id) ?? byId.get(idOfRequest.get(id) ?? ""),
  };
}

/** Envoy's own are UUIDs; a client that may choose its id could fill the memory with it. */
const requestIdBytesMax = 128;

/** What is known of an exchange from its request. */
export function exchangeFacts({ id, time, route, headers }: ReceivedRequest): Pick<DecisionSummary, "id" | "requestId" | "time" | "route"> {
  const requestId = headers.values("x-request-id").find((value) => value.length <= requestIdBytesMax);
  return { id, requestId: requestId && decodeText(requestId), time: new Date(time).toISOString(), route: route.name };
}
