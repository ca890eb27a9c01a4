import type { EndedEvent } from "../kernel/kernel-host.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { DecisionSummary, FailedStep } from "../worker/explanation.ts";
import { decodeText } from "../worker/header-store.ts";

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
  /** Request headers that the settings list, as they were received; several values of one are joined by `, `. */
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
  /** Removes secret values from what policies and clients have written. */
  readonly redact: (text: string) => string;
}

/** The longest value of a header that is written, characters. */
const valueLengthMax = 256;
/** Envoy's own are UUIDs. */
const requestIdLengthMax = 128;

export function decisionRecord({ event, failures, trace, sample, headers, now, redact }: RecordParts): DecisionRecord {
  const { id, request, chain, generation, reply, durationMs } = event;
  const values = (name: string): string | undefined => {
    const lines = request?.headers.filter((line) => line.name === name).map(({ value }) => decodeText(value)) ?? [];
    return lines.length === 0 ? undefined : redact(lines.join(", ")).slice(0, valueLengthMax);
  };
  const requestId = values("x-request-id");
  const failed = failures.at(-1);
  const listed = headers.flatMap((name) => {
    const value = values(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    version: 1,
    id,
    requestId: requestId === undefined || requestId.length > requestIdLengthMax ? undefined : requestId,
    time: new Date(request?.time ?? now).toISOString(),
    generation,
    route: request?.route.name ?? "",
    chain,
    outcome: outcomeOf(event),
    status: reply?.status,
    code: reply?.code ?? failed?.code ?? (event.end === "body-not-sent" ? event.end : undefined),
    step: reply === undefined ? failed?.step : (reply.step ?? reply.failedStep),
    reason: reply?.reason === undefined ? undefined : redact(reply.reason),
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
