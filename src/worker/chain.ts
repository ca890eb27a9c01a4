import type { BodyTransform, Outcome, Reply, StreamControl } from "@envoy-policy-engine/sdk";
import type { FailureMode } from "../config/types.ts";
import type { CompiledExpression } from "../expressions/expression.ts";
import type { ChainCounter } from "../observe/chain-counters.ts";
import type { StepExchange, StepRights } from "./step-exchange.ts";

/** A chain that is ready to run: a flat list in which everything that could be decided at load is decided. */
export interface Chain {
  readonly name: string;
  /** Of its canonical configuration. */
  readonly hash: string;
  readonly steps: readonly BoundStep[];
  readonly counter: ChainCounter;
  /** Some step has a response handler. */
  readonly hasResponse: boolean;
  readonly rawPath: boolean;
  /** The largest body that a step of this chain waits for, bytes. */
  readonly bodyBytesMax: number;
}

export interface BoundStep {
  readonly name: string;
  /** `policy@version` */
  readonly policy: string;
  readonly when: CompiledExpression<boolean> | undefined;
  /** `when` is decided when the response reaches the step, because it reads `response.*`. */
  readonly whenReadsResponse: boolean;
  readonly request: BoundHandler | undefined;
  readonly response: BoundHandler | undefined;
  /** Conditions and parameters read `request.json` or `response.json`: the step waits for that body although its handler may not. */
  readonly reads: { readonly requestBody: boolean; readonly responseBody: boolean };
  /** Deadline of a handler's promise, milliseconds. */
  readonly timeoutMs: number;
  readonly onError: FailureMode;
  /** What an upgraded connection, or a stream of events, means for a step that waits for a body: it is refused, or goes past the step. */
  readonly onUpgrade: FailureMode;
  readonly onStream: FailureMode;
  readonly rights: StepRights;
  /** Index in the step counters. */
  readonly counter: number;
}

export type BoundHandler =
  /** `buffered`: it waits for the whole body, and so do the steps after it. */
  { readonly body: "none" | "buffered"; readonly handle: (exchange: StepExchange) => Outcome } | StreamedHandler;

/** It leaves a transform behind, through which the body passes. */
export interface StreamedHandler {
  readonly body: "streamed";
  readonly start: (exchange: StepExchange, stream: StreamControl) => Reply | BodyTransform | undefined;
}

/** What a step, or a whole chain, does with the body of a direction. */
export type BodyUse = "none" | "buffered" | "streamed";

/** A step whose condition or parameters read a body waits for it, whatever its handler does. */
export function bodyUse(step: BoundStep, phase: "request" | "response"): BodyUse {
  const reads = phase === "request" ? step.reads.requestBody : step.reads.responseBody;
  return reads ? "buffered" : (step[phase]?.body ?? "none");
}

/** What they do together: one that waits makes the body of all of them wait. */
export function bodyUseOf(steps: readonly BoundStep[], phase: "request" | "response"): BodyUse {
  const uses = steps.map((step) => bodyUse(step, phase));
  if (uses.includes("buffered")) return "buffered";
  return uses.includes("streamed") ? "streamed" : "none";
}
