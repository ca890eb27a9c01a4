import type { Outcome, RequestExchange, ResponseExchange } from "@envoy-policy-engine/sdk";
import type { FailureMode } from "../config/types.ts";
import type { CompiledExpression } from "../expressions/expression.ts";
import type { StepRights } from "./step-exchange.ts";

/** A chain that is ready to run: a flat list in which everything that could be decided at load is decided. */
export interface Chain {
  readonly name: string;
  /** Of its canonical configuration. */
  readonly hash: string;
  readonly steps: readonly BoundStep[];
  /** Some step has a response handler. */
  readonly hasResponse: boolean;
  readonly rawPath: boolean;
}

export interface BoundStep {
  readonly name: string;
  /** `policy@version` */
  readonly policy: string;
  readonly when: CompiledExpression<boolean> | undefined;
  /** `when` is decided when the response reaches the step, because it reads `response.*`. */
  readonly whenReadsResponse: boolean;
  readonly request: ((exchange: RequestExchange<unknown>) => Outcome) | undefined;
  readonly response: ((exchange: ResponseExchange<unknown>) => Outcome) | undefined;
  /** Deadline of a handler's promise, milliseconds. */
  readonly timeoutMs: number;
  readonly onError: FailureMode;
  readonly rights: StepRights;
  /** Index in the step counters. */
  readonly counter: number;
}
