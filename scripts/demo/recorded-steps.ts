import type { ExchangeRecording, RecordedStep } from "../../src/worker/recording.ts";
import { send } from "../processes/send.ts";

/**
 * What happened to the exchange with this `x-request-id`, in one line: `auth ran → debug skipped ← identity ran`, with an arrow for the
 * direction; `no chain` when no step was reached; `⇒ 404 no-route` at the end when the engine itself answered.
 */
export async function recordedSteps(adminPort: number, requestId: string): Promise<string> {
  const { status, body } = await send(adminPort, { path: `/recordings/${encodeURIComponent(requestId)}` });
  // An exchange that passes without a chain is not recorded.
  if (status === 404) return "no chain";
  if (status !== 200) throw new Error(`the engine's admin port answered ${status} for a recording: ${body}`);
  const { steps, reply }: ExchangeRecording = JSON.parse(body);
  const chain = steps.length === 0 ? "no chain" : steps.map(stepText).join("");
  return reply === undefined || reply.step !== undefined ? chain : `${chain} ⇒ ${reply.status} ${reply.code}`;
}

function stepText({ step, phase, outcome, reply }: RecordedStep, index: number): string {
  const arrow = phase === "response" ? " ← " : index === 0 ? "" : " → ";
  return `${arrow}${step} ${outcome}${reply === undefined ? "" : ` ${reply.status} ${reply.code}`}`;
}
