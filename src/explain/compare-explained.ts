/** What another configuration would have done to the same exchange: only what differs. */
import { diffValues, type ValueChange } from "../diff/diff-values.ts";
import type { ExplainedStep, ToldAnswer } from "../worker/explanation.ts";
import { type ExchangeTitle, exchangeTitle } from "./exchange-title.ts";
import type { Explained } from "./explain-exchange.ts";
import type { Paint } from "./format-explained.ts";

/** One of several exchanges, and what another configuration would have done differently. */
export interface ComparedExchange extends ExchangeTitle {
  /** Empty where both do the same. */
  readonly differences: readonly ValueChange[];
}

/** In the order in which things happen: the outcome first, what the client got last. */
export function compareExplained(from: Explained, to: Explained): readonly ValueChange[] {
  const [before, after] = [comparable(from, to), comparable(to, from)];
  return parts.flatMap((part) => diffValues(part, before[part], after[part]));
}

/** One line for each exchange, what differs below it, and how many do. */
export function formatComparisons(compared: readonly ComparedExchange[], paint: Paint): string {
  const differing = compared.filter(({ differences }) => differences.length > 0).length;
  const parts = compared.map((one) => {
    if (one.differences.length === 0) return `${paint.faint("same   ")}  ${exchangeTitle(one)}\n`;
    const lines = formatComparison(one.differences, paint).replaceAll(/^(?=.)/gm, "    ");
    return `${paint.strong("differs")}  ${exchangeTitle(one)}\n${lines}`;
  });
  return `${parts.join("")}\n${differing} of ${compared.length} exchanges ${differing === 1 ? "differs" : "differ"}\n`;
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

/** Without what differs between any two exchanges: times and durations. Steps, answers and headers by their names, so that one more moves none. */
function comparable(
  { explanation, upstream, client, unansweredCalls }: Explained,
  other: Explained,
): Readonly<Record<(typeof parts)[number], unknown>> {
  const { outcome, status, code, step, reason, chain, found, steps, told } = explanation;
  const outcomes = new Map(other.explanation.steps.map((one) => [stepKey(one), one.outcome]));
  return {
    outcome,
    status,
    code,
    step,
    reason,
    chain,
    by: found.by,
    steps: Object.fromEntries(steps.map((one) => [stepKey(one), stepFacts(one, outcomes.get(stepKey(one)))])),
    told: toldFacts(told),
    upstream,
    client,
    unansweredCalls,
  };
}

const stepKey = ({ step, phase }: ExplainedStep): string => `${step} (${phase})`;

/** With the condition where it may be why the outcome is another one: written otherwise and decided alike is no difference. */
function stepFacts(
  { policy, outcome, condition, reads, changes, reply, failure }: ExplainedStep,
  other: ExplainedStep["outcome"] | undefined,
): object {
  return {
    policy,
    outcome,
    ...(condition && outcome !== other && { condition: condition.text, holds: condition.result }),
    reads: Object.fromEntries(reads.map(({ key, value }) => [key, value])),
    changes: Object.fromEntries(changes.map(({ of, name, before, after }) => [`${of} ${name}`, { before, after }])),
    ...(reply && { reply }),
    ...(failure && { failure }),
  };
}

function toldFacts(told: readonly ToldAnswer[]): object {
  const count = new Map<string, number>();
  return Object.fromEntries(
    told.map(({ to, set, ...facts }) => {
      const nth = (count.get(to) ?? 0) + 1;
      count.set(to, nth);
      const lines = Object.entries(Object.groupBy(set, ({ name, append }) => (append ? `add ${name}` : `set ${name}`)));
      return [
        nth === 1 ? to : `${to} (${nth})`,
        { ...facts, headers: Object.fromEntries(lines.map(([name, of = []]) => [name, of.map(({ value }) => value)])) },
      ];
    }),
  );
}

function side(sign: string, value: unknown, paint: (text: string) => string): readonly string[] {
  const text = typeof value === "string" && value !== "" ? value : JSON.stringify(value);
  return value === undefined ? [] : [paint(`  ${sign} ${text}`)];
}
