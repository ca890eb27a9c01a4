/** What another configuration would have done to the same exchange: only what differs. */
import { diffValues, type ValueChange } from "../diff/diff-values.ts";
import type { ExplainedStep } from "../worker/explanation.ts";
import type { Explained } from "./explain-exchange.ts";
import type { Paint } from "./format-explained.ts";

/** In the order in which things happen: the outcome first, what the client got last. */
export function compareExplained(from: Explained, to: Explained): readonly ValueChange[] {
  const [before, after] = [comparable(from), comparable(to)];
  return parts.flatMap((part) => diffValues(part, before[part], after[part]));
}

export function formatComparison(changes: readonly ValueChange[], paint: Paint): string {
  if (changes.length === 0) return "nothing differs\n";
  return changes
    .map(({ path, from, to }) => [path, ...side("-", from, paint.bad), ...side("+", to, paint.good)].map((line) => `${line}\n`).join(""))
    .join("");
}

const parts = [
  "outcome",
  "status",
  "code",
  "step",
  "reason",
  "chain",
  "by",
  "steps",
  "told",
  "upstream",
  "client",
  "unansweredCalls",
] as const;

/** Without what differs between any two exchanges: times and durations. Steps by their names, so that one more moves none. */
function comparable({ explanation, upstream, client, unansweredCalls }: Explained): Readonly<Record<(typeof parts)[number], unknown>> {
  const { outcome, status, code, step, reason, chain, found, steps, told } = explanation;
  return {
    outcome,
    status,
    code,
    step,
    reason,
    chain,
    by: found.by,
    steps: Object.fromEntries(steps.map((one) => [`${one.step} (${one.phase})`, stepFacts(one)])),
    told,
    upstream,
    client,
    unansweredCalls,
  };
}

function stepFacts({ policy, outcome, condition, reads, changes, reply, failure }: ExplainedStep): object {
  return {
    policy,
    outcome,
    ...(condition && { condition: condition.text, holds: condition.result }),
    reads: Object.fromEntries(reads.map(({ key, value }) => [key, value])),
    changes: Object.fromEntries(changes.map(({ of, name, before, after }) => [`${of} ${name}`, { before, after }])),
    ...(reply && { reply }),
    ...(failure && { failure }),
  };
}

function side(sign: string, value: unknown, paint: (text: string) => string): readonly string[] {
  return value === undefined ? [] : [paint(`  ${sign} ${typeof value === "string" ? value : JSON.stringify(value)}`)];
}
