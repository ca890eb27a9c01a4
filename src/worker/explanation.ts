/**
 * What is kept and shown of an exchange. Plain data: it can be written as JSON as it is, and what must not be seen is replaced before it gets
 * here (`redaction.ts`).
 */
import type { FailureCode } from "../errors.ts";
import type { StepOutcome, StepPhase } from "../observe/step-counters.ts";
import type { BodyUse } from "./chain.ts";

/** The least that every reply and every failure leaves, built when there is one and not before. */
export interface DecisionSummary {
  /** The engine's id of the exchange: `x-decision-id` where there was a reply. */
  readonly id: string;
  /** Envoy's `x-request-id`; undefined when there is none or it is longer than 128 bytes. */
  readonly requestId: string | undefined;
  /** When the request came, RFC 3339 in UTC. */
  readonly time: string;
  /** Undefined when there was no valid configuration. */
  readonly generation: number | undefined;
  /** Envoy's route name; `""` for an unnamed route, and where it could not be told. */
  readonly route: string;
  readonly chain: string | undefined;
  /** `continued`: the request went on to the upstream although a step failed. */
  readonly outcome: DecisionOutcome;
  /** What the client got; undefined when the exchange went on. */
  readonly status: number | undefined;
  /** Of the reply, else of the last failure; undefined where nothing went wrong, which leaves no summary but may leave a timeline. */
  readonly code: string | undefined;
  /** The step that replied or failed; undefined when the engine refused before a step was reached. */
  readonly step: string | undefined;
  /** What the policy says about its reply, for people. */
  readonly reason: string | undefined;
  readonly failures: readonly FailedStep[];
  /** Of the exchange up to the reply, the upstream's time included where it had its turn; where it went on, of the failed step. Milliseconds. */
  readonly durationMs: number;
}

/** What is kept of an exchange that somebody asks for by its id: all of it where it was recorded. */
export type Decision = ({ readonly detail: "summary" } & DecisionSummary) | ({ readonly detail: "timeline" } & Explanation);

/** `replied`: a step answered; `refused`: the engine did. */
export type DecisionOutcome = "replied" | "refused" | "continued";

export interface FailedStep {
  readonly step: string;
  /** `policy@version` */
  readonly policy: string;
  readonly phase: StepPhase;
  readonly code: FailureCode;
  /** What the failure meant: the exchange was denied, or the step was passed over (`onError`). */
  readonly handled: "deny" | "skip";
}

/** All that is known of an exchange: what every step did, and what Envoy was told. Credentials in it are replaced by `[redacted]`. */
export interface Explanation extends DecisionSummary {
  /** As it came. */
  readonly request: { readonly method: string; readonly path: string; readonly headers: readonly HeaderText[] };
  /** How the route was told and its chain found. */
  readonly found: ExplainedRoute;
  /** In the order in which they had their turn; those that were not reached stand behind the request's. */
  readonly steps: readonly ExplainedStep[];
  /** The engine's answers in their order, at most 64. */
  readonly told: readonly ToldAnswer[];
}

export interface ExplainedRoute {
  /** The carriers of the route's identity that were looked at. */
  readonly carriers: readonly ("attributes" | "metadata")[];
  /** What named the chain. `unmatched`: the configuration's rule for routes that it does not know. `nothing`: it was refused. */
  readonly by: "routes" | "route-metadata" | "unmatched" | "nothing";
}

export interface ExplainedStep {
  readonly step: string;
  /** `policy@version` */
  readonly policy: string;
  readonly phase: StepPhase;
  readonly outcome: Exclude<StepOutcome, "overrun"> | "not-reached";
  /** Waiting for a body is not in it. */
  readonly durationMs: number | undefined;
  /** What the step does with the body of this phase. */
  readonly body: BodyUse;
  /** Undefined where it has none, or it was decided before. */
  readonly condition: ExplainedCondition | undefined;
  /** The metadata that its handler asked for, by key, as JSON. */
  readonly reads: readonly { readonly key: string; readonly value: string }[];
  /** What it left changed; nothing of a step that failed, whose changes are taken back. */
  readonly changes: readonly Change[];
  readonly reply: { readonly status: number; readonly code: string; readonly reason: string | undefined } | undefined;
  readonly failure: { readonly code: FailureCode; readonly handled: "deny" | "skip"; readonly detail: string | undefined } | undefined;
}

export interface ExplainedCondition {
  /** As it is written. */
  readonly text: string;
  readonly result: ExplainedValue;
  /** Its parts as far as they were evaluated. */
  readonly parts: readonly { readonly text: string; readonly result: ExplainedValue }[];
}

/** `value`: as JSON; `nothing` where there is none. */
export type ExplainedValue = { readonly value: string } | { readonly failure: string };

/** A header (`:path` and its like too), a body or a value of the metadata, as text: every line of a header, JSON of metadata. `[]`: not there. */
export interface Change {
  readonly of: "request-header" | "response-header" | "request-body" | "response-body" | "metadata";
  /** Of the header or the metadata's key; `body` of a body. */
  readonly name: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export interface HeaderText {
  readonly name: string;
  readonly value: string;
}

/** An answer as Envoy gets it. */
export interface ToldAnswer {
  /** The message that Envoy had sent last. */
  readonly to: string;
  /** `reply`: Envoy answers the client with it, and nothing follows. */
  readonly kind: "continue" | "reply";
  readonly status: number | undefined;
  readonly set: readonly (HeaderText & { readonly append: boolean })[];
  readonly remove: readonly string[];
  /** Bytes of the body that goes on in place of the one that came; undefined where that stays. */
  readonly bodyBytes: number | undefined;
  /** What Envoy is asked to send of the exchange from here on; undefined where that stays as it is. */
  readonly asks: Readonly<Record<string, string>> | undefined;
}
