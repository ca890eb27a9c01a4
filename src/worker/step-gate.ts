import type { StepPhase } from "../observe/step-counters.ts";

/** What a step may do just now. Shared by the facets of its exchange, so that one assignment holds for them all. */
export class Gate {
  revoked = false;
  /** Whose handler runs; undefined while none does. */
  phase: StepPhase | undefined;

  read(): void {
    if (this.revoked) throw new Error("this step's exchange is over: it has failed, its deadline has passed or the exchange has ended");
  }

  /** @param phase the one in which the change is possible; undefined: both */
  write(phase?: StepPhase): void {
    this.read();
    if (this.phase === undefined) throw new TypeError("the handler has come to its end: it must await what it changes the exchange by");
    if (phase === "request" && this.phase === "response") throw new TypeError("the request has already been sent on");
  }
}
