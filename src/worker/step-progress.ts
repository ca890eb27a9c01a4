/** How far a step has come in an exchange, and what may still come of it. */
import type { BoundStep } from "./chain.ts";

/** `held`: its condition was decided, and it waits for the body. */
export type Progress = "unreached" | "held" | "passed" | "skipped" | "failed" | "replied";

/** A step takes part in the response if it was passed on the request, or is decided only now. */
export function mayRespond(step: BoundStep, progress: Progress | undefined): boolean {
  return progress === "passed" || (step.whenReadsResponse && progress === "unreached");
}

/** The same while the request side has not come to its end: it may still pass a step. */
export function mayStillRespond(step: BoundStep, progress: Progress | undefined): boolean {
  return progress === "held" || progress === "unreached" || mayRespond(step, progress);
}
