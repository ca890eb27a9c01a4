import type { Decision, ExplainedStep, Explanation } from "../../src/worker/explanation.ts";
import { send } from "../processes/send.ts";

/** What the engine can tell of the exchange with this `x-request-id`. */
export async function explanationOf(adminPort: number, requestId: string): Promise<Explanation> {
  const { status, body } = await send(adminPort, { path: `/decisions/${encodeURIComponent(requestId)}` });
  if (status !== 200) throw new Error(`the engine's admin port answered ${status} for an exchange: ${body}`);
  const decision: Decision = JSON.parse(body);
  if (decision.detail !== "timeline") throw new Error("the demo's engine does not record its exchanges");
  return decision;
}

/**
 * What happened in one line: `auth ran → debug skipped ← identity ran`, with an arrow for the direction; `no chain` when no step was reached;
 * `⇒ 404 no-route` at the end when the engine itself answered.
 */
export function stepsText({ steps, outcome, status, code }: Explanation): string {
  const reached = steps.filter((step) => step.outcome !== "not-reached");
  const chain = reached.length === 0 ? "no chain" : reached.map(stepText).join("");
  return outcome === "refused" ? `${chain} ⇒ ${status} ${code}` : chain;
}

function stepText({ step, phase, outcome, reply }: ExplainedStep, index: number): string {
  const arrow = phase === "response" ? " ← " : index === 0 ? "" : " → ";
  return `${arrow}${step} ${outcome}${reply === undefined ? "" : ` ${reply.status} ${reply.code}`}`;
}
