import type { CalloutCounters, CalloutOutcome } from "../observe/callout-counters.ts";
import type { OutgoingCall, PolicyHost } from "../worker/policy-host.ts";

/** The same calls, counted by policy and key. What they resolve or reject with is left as it is. */
export function countedFetch(fetch: PolicyHost["fetch"], counters: CalloutCounters, monotonicMs: () => number): PolicyHost["fetch"] {
  return async (call) => {
    const startedMs = monotonicMs();
    let outcome: CalloutOutcome = "failed";
    try {
      const response = await fetch(call);
      outcome = outcomeOf(response.status);
      return response;
    } catch (error) {
      if (isAborted(call)) outcome = "aborted";
      throw error;
    } finally {
      counters.count(call.step.policy, call.key, outcome, monotonicMs() - startedMs);
    }
  };
}

function outcomeOf(status: number): CalloutOutcome {
  if (status >= 500) return "status-5xx";
  return status >= 400 ? "status-4xx" : "ok";
}

function isAborted({ init: { signal } }: OutgoingCall): boolean {
  return signal?.aborted === true;
}
