import type { StepPhase } from "../observe/step-counters.ts";
import type { BodyFlow } from "./body-flow.ts";
import type { HeaderChanges } from "./header-store.ts";
import type { FinalReply } from "./reply.ts";

/** How Envoy gives a body to streamed steps: as one message, or as it comes, because its own configuration says so. */
export type BodyDelivery = "whole" | "in-chunks";

/** What became of one direction. `gone`: the client left while a step was running, nobody is waiting for an answer. */
export type RunOutcome =
  | Continued
  /** A step waits for the whole body of this direction: `resume` with it, or `refuse`. What the steps before it have changed stands. */
  | { readonly kind: "needs-body"; readonly phase: StepPhase; readonly changes: HeaderChanges }
  | { readonly kind: "reply"; readonly reply: FinalReply }
  | { readonly kind: "gone" };

/** Every step of the direction has come to its end. */
export interface Continued {
  readonly kind: "continue";
  /** What no outcome of this direction has told before. */
  readonly changes: HeaderChanges;
  /** Whether a step has changed this header, told before or not. */
  readonly touched: (header: string) => boolean;
  /** What the steps made of the body; undefined when nobody changed it. */
  readonly body: Uint8Array | undefined;
  /** Through what the body is still to pass; undefined where nobody has left anything behind for it. */
  readonly flow: BodyFlow | undefined;
}
