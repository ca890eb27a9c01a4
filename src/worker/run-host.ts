/** What a run needs from outside, and what it tells of its steps. */
import type { FailureMode } from "../config/types.ts";
import type { FailureCode } from "../errors.ts";
import type { StepCounters, StepPhase } from "../observe/step-counters.ts";
import type { BoundStep } from "./chain.ts";
import type { ReceivedRequest } from "./received.ts";
import type { PendingReply } from "./reply.ts";

/** The same for every exchange. */
export interface RunHost {
  /** Milliseconds from an arbitrary start, never going back. */
  monotonicMs(): number;
  /** Calls back once after at least this time; returns what cancels it. */
  startTimer(milliseconds: number, expired: () => void): () => void;
  readonly counters: StepCounters;
  /** A step failed. The cause is for the log under the exchange's id. */
  failed(failure: StepFailure): void;
}

export interface StepFailure {
  readonly request: ReceivedRequest;
  readonly generation: number;
  readonly chain: string;
  readonly step: string;
  readonly policy: string;
  readonly phase: StepPhase;
  readonly code: FailureCode;
  /** What it meant for the exchange. */
  readonly handled: FailureMode;
  readonly cause: unknown;
  /** How long the step ran, milliseconds. */
  readonly durationMs: number;
}

/** One call of a handler, from its start to its settlement. */
export interface Call {
  readonly step: BoundStep;
  readonly index: number;
  readonly phase: StepPhase;
  readonly startedMs: number;
  /** Where the journal stood before the step. */
  readonly mark: number;
}

/** What a step has come to, where more than its outcome is to be said. */
export type Settlement = { readonly reply: PendingReply } | StepFault;

export interface StepFault {
  readonly code: FailureCode;
  readonly handled: FailureMode;
  readonly cause: unknown;
}
