/**
 * What is kept and shown of an exchange. Plain data: it can be written as JSON as it is, and what must not be seen is replaced before it gets
 * here (`redaction.ts`).
 */
import type { FailureCode } from "../errors.ts";
import type { StepPhase } from "../observe/step-counters.ts";

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
  /** Of the reply, else of the last failure. */
  readonly code: string;
  /** The step that replied or failed; undefined when the engine refused before a step was reached. */
  readonly step: string | undefined;
  /** What the policy says about its reply, for people. */
  readonly reason: string | undefined;
  readonly failures: readonly FailedStep[];
  /** Of the exchange up to the reply, the upstream's time included where it had its turn; where it went on, of the failed step. Milliseconds. */
  readonly durationMs: number;
}

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
