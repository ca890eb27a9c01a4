import type { ExchangeRecording, RecordedStep } from "../../src/worker/recording.ts";
import { send } from "../processes/send.ts";

/**
 * What the steps did to the exchange with this `x-request-id`, in one line: `auth ran → debug skipped ← identity ran`, with an arrow for the
 * direction. `no chain` when the engine has run none.
 */
export async function recordedSteps(adminPort: number, requestId: string): Promise<string> {
  const { status, body } = await send(adminPort, { path: `/recordings/${encodeURIComponent(requestId)}` });
  if (status === 404) return "no chain";
  if (status !== 200) throw new Error(`the engine's admin port answered ${status} for a recording: ${body}`);
  const { steps }: ExchangeRecording = JSON.parse(body);
  return steps.length === 0 ? "no chain" : steps.map(text).join("");
}

function text({ step, phase, outcome, reply }: RecordedStep, index: number): string {
  const arrow = phase === "response" ? " ← " : index === 0 ? "" : " → ";
  return `${arrow}${step} ${outcome}${reply === undefined ? "" : ` ${reply.status} ${reply.code}`}`;
}
