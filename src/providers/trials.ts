import type { KeptGenerations, Reason } from "./kept-generations.ts";
import type { Verdict } from "./provider.ts";
import type { Applied, RegistryHost } from "./registry.ts";
import { type Choice, merged, type Source } from "./source.ts";

/** Has choices applied, one at a time, and keeps those that come into use. */
export interface Trials {
  /** To its end. */
  apply(choice: Choice, reason: Reason): Promise<Verdict>;
  /** Unless something newer makes it pointless. */
  attempt(choice: Choice, reason: Reason): Promise<Applied>;
  /** What this source has delivered last is about to be replaced: an attempt with it is pointless. */
  replacing(source: Source): void;
  /** Something waits that goes before: until what is returned is called, any attempt may be given up. */
  cutIn(): () => void;
}

export function createTrials(host: Pick<RegistryHost, "apply" | "attempt">, kept: KeptGenerations<Choice>): Trials {
  let cutIns = 0;
  let attempted: { readonly choice: Choice; readonly superseded: AbortController } | undefined;

  return {
    async apply(choice, reason) {
      return keep(await host.apply(merged(choice)), choice, reason);
    },
    async attempt(choice, reason) {
      const superseded = new AbortController();
      attempted = { choice, superseded };
      if (cutIns > 0) superseded.abort();
      try {
        return keep(await host.attempt(merged(choice), superseded.signal), choice, reason);
      } finally {
        attempted = undefined;
      }
    },
    replacing(source) {
      const delivery = attempted?.choice.get(source);
      if (delivery !== undefined && delivery === source.delivered) attempted?.superseded.abort();
    },
    cutIn() {
      cutIns += 1;
      attempted?.superseded.abort();
      return () => {
        cutIns -= 1;
      };
    },
  };

  function keep<Result extends Applied>(applied: Result, choice: Choice, reason: Reason): Result {
    if (applied.kind === "accepted") kept.add(applied, choice, reason);
    return applied;
  }
}
