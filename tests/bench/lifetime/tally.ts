import type { ClientResponse } from "../../../scripts/processes/send.ts";
import type { Call } from "./five-policies.ts";

/** What came of the calls so far. */
export interface Tally {
  answers: number;
  wrong: number;
  /** Of the calls, those that the upstream is to get. */
  reaching: number;
  /** The first wrong answers, in words. */
  readonly faults: string[];
}

export function newTally(): Tally {
  return { answers: 0, wrong: 0, reaching: 0, faults: [] };
}

const faultsMax = 10;

/** Resolves when the answer has come, or it is clear that there is none. */
export async function judge(tally: Tally, call: Call, answer: Promise<ClientResponse>): Promise<void> {
  const fault = await answer.then(call.faultOf, (error: unknown) => `call ${call.number}: ${String(error)}`);
  tally.answers += 1;
  if (call.reachesUpstream) tally.reaching += 1;
  if (fault === undefined) return;
  tally.wrong += 1;
  if (tally.faults.length < faultsMax) tally.faults.push(fault);
}
