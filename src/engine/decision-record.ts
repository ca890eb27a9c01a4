import type { EndedEvent } from "../kernel/kernel-host.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { DecisionSummary, FailedStep } from "../worker/explanation.ts";
import { exchangeFacts } from "../worker/recent-decisions.ts";
import { createRedaction, headerText } from "../worker/redaction.ts";

/**
 * A line of the decision log. `schemas/decision.schema.json` is its description for others: a key that is undefined here is absent there. New
 * keys may come with any release, none changes its meaning without another `version`.
 */
export interface DecisionRecord extends Omit<DecisionSummary, "outcome"> {
  readonly version: 1;
  readonly outcome: RecordedOutcome;
  /** Of the trace that Envoy has the exchange in. */
  readonly traceId: string | undefined;
  /** The share of such exchanges that is written, where this one was chosen by chance. */
  readonly sample: number | undefined;
  /** Request headers that the settings list, as they were received but without credentials; several values of one are joined by `, `. */
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/**
 * `replied`: a step answered. `refused`: the engine did. `continued`: it went on to the upstream. `passed`: its route has no chain. `broken`: the
 * stream was ended with an error. `gone`: the client left before there was an answer. `body-not-sent`: the body that a step waits for never came.
 */
export type RecordedOutcome = "replied" | "refused" | "continued" | "passed" | "broken" | "gone" | "body-not-sent";

export interface RecordParts {
  readonly event: EndedEvent;
  readonly failures: readonly FailedStep[];
  readonly trace: TraceContext | undefined;
  readonly sample: number | undefined;
  /** Names of the headers to write. */
  readonly headers: readonly string[];
  /** Milliseconds since the epoch; for exchanges that did not start with a request. */
  readonly now: number;
  /** Removes the secrets that the engine has read. */
  readonly redact: (text: string) => string;
}

/** Longer texts are cut, and end in `…`; with it they are as long as the schema says. */
const valueUnitsMax = 255;
const reasonUnitsMax = 511;

export function decisionRecord({ event, failures, trace, sample, headers, now, redact }: RecordParts): DecisionRecord {
  const { id, request, chain, generation, reply, durationMs } = event;
  const failed = failures.at(-1);
  const redaction = createRedaction(redact);
  if (request !== undefined && (headers.length > 0 || reply?.reason !== undefined)) redaction.learn(request.headers.entries());
  const listed = headers.flatMap((name) => {
    const lines = request?.headers.values(name).map((value) => headerText(name, value)) ?? [];
    return lines.length === 0 ? [] : [[name, redaction.text(lines.join(", "), valueUnitsMax)] as const];
  });
  const nobody = { id, requestId: undefined, time: new Date(now).toISOString(), route: "" };
  return {
    version: 1,
    ...(request === undefined ? nobody : exchangeFacts(request)),
    generation,
    chain,
    outcome: outcomeOf(event),
    status: reply?.status,
    code: reply?.code ?? failed?.code ?? (event.end === "body-not-sent" ? event.end : undefined),
    step: reply === undefined ? failed?.step : (reply.step ?? reply.failedStep),
    reason: reply?.reason === undefined ? undefined : redaction.text(reply.reason, reasonUnitsMax),
    failures,
    durationMs,
    traceId: trace?.traceId,
    sample,
    headers: listed.length === 0 ? undefined : Object.fromEntries(listed),
  };
}

function outcomeOf({ end, reply }: EndedEvent): RecordedOutcome {
  if (end !== "failed") return end;
  return reply === undefined ? "broken" : "refused";
}
