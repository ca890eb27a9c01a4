/** What people read of an explained exchange: a timeline, aligned. */
import type {
  Change,
  DecisionSummary,
  ExplainedCondition,
  ExplainedStep,
  ExplainedValue,
  Explanation,
  ToldAnswer,
} from "../worker/explanation.ts";
import type { Explained } from "./explain-exchange.ts";

/** How a part of the text is set apart; the same text where there is no terminal. */
export interface Paint {
  strong(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
}

export const plain: Paint = { strong: same, good: same, bad: same, faint: same };

/** The timeline, and what reached upstream and client. */
export function formatExplained({ explanation, upstream, client, unansweredCalls }: Explained, paint: Paint): string {
  const sections = [
    formatExplanation(explanation, paint),
    section(
      "the upstream got",
      upstream === undefined ? ["nothing"] : messageLines(`${upstream.method} ${upstream.path}`, upstream),
      paint,
    ),
    section(
      "the client got",
      client === undefined ? ["an error of Envoy's: the engine ended the exchange"] : messageLines(String(client.status), client),
      paint,
    ),
  ];
  if (unansweredCalls.length > 0) sections.push(section("calls that failed, because `calls` gives them no answer", unansweredCalls, paint));
  return sections.join("\n");
}

/** The timeline of an exchange. */
export function formatExplanation(explanation: Explanation, paint: Paint): string {
  const { request, steps, told } = explanation;
  const widths = { step: widest(steps.map(({ step }) => step)), what: widest(steps.map(whatText)) };
  const part = (title: string, phase: ExplainedStep["phase"]): readonly string[] => {
    const lines = steps.filter((step) => step.phase === phase).flatMap((step) => stepLines(step, widths, paint));
    return lines.length === 0 ? [] : [section(title, lines, paint)];
  };
  return [
    `${paint.strong(`${request.method} ${request.path}`)}\n${formatSummary(explanation, paint)}${foundText(explanation)}`,
    ...part("request", "request"),
    ...part("response", "response"),
    section("Envoy was told", told.flatMap(toldLines), paint),
  ].join("\n");
}

/** What is known of any reply or failure. */
export function formatSummary(summary: DecisionSummary, paint: Paint): string {
  const { id, time, route, chain, generation, failures, durationMs } = summary;
  return [
    `${verdict(summary, paint)}`,
    `  route ${JSON.stringify(route)}, chain ${chain ?? "none"}, generation ${generation ?? "none"}`,
    `  ${time}, ${milliseconds(durationMs)}, id ${id}`,
    ...failures.map(({ step, phase, code, handled }) => `  ${paint.bad(`${step} failed`)} on the ${phase}: ${code}, onError: ${handled}`),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function verdict({ outcome, status, code, step, reason }: DecisionSummary, paint: Paint): string {
  const because = reason === undefined ? "" : `: ${reason}`;
  switch (outcome) {
    case "continued":
      return step === undefined
        ? paint.good("went on to the upstream")
        : `${paint.good("went on to the upstream")}, although ${step} failed: ${code}`;
    case "replied":
      return `${paint.bad(`${status} ${code}`)} by the step ${step}${because}`;
    case "refused":
      return `${paint.bad(`${status} ${code}`)} by the engine${step === undefined ? "" : `, because of the step ${step}`}`;
    default:
      return outcome satisfies never;
  }
}

function foundText({ found: { carriers, by } }: Explanation): string {
  const what = {
    routes: "`routes` of the configuration names the chain",
    "route-metadata": "the route's own metadata names the chain",
    unmatched: "`unmatched` decides: no chain is named for the route",
    nothing: "the route could not be told, or there is no configuration",
  }[by];
  return `  ${what}; the route came by ${carriers.join(" and ") || "nothing"}\n`;
}

interface Widths {
  readonly step: number;
  readonly what: number;
}

function stepLines(step: ExplainedStep, widths: Widths, paint: Paint): readonly string[] {
  const { outcome, durationMs, policy, condition, reads, changes, reply, failure } = step;
  const colour = outcome === "ran" ? paint.good : outcome === "skipped" || outcome === "not-reached" ? paint.faint : paint.bad;
  const time = durationMs === undefined ? "" : milliseconds(durationMs);
  return [
    `${step.step.padEnd(widths.step)}  ${colour(whatText(step).padEnd(widths.what))}  ${time.padStart(8)}  ${paint.faint(policy)}`,
    ...(condition === undefined ? [] : conditionLines(condition)),
    ...reads.map(({ key, value }) => `    read   metadata ${key} ${value}`),
    ...changes.flatMap(changeLines),
    ...(reply?.reason === undefined ? [] : [`    reason ${reply.reason}`]),
    ...(failure === undefined
      ? []
      : [`    ${failure.code}, handled: ${failure.handled}${failure.detail === undefined ? "" : `: ${failure.detail}`}`]),
  ];
}

const whatText = ({ outcome, reply }: ExplainedStep): string =>
  reply === undefined ? outcome : `${outcome} ${reply.status} ${reply.code}`;

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));

function conditionLines({ text, result, parts }: ExplainedCondition): readonly string[] {
  const inner = parts.filter((part) => part.text !== text);
  const width = Math.min(textWidthMax, widest(inner.map((part) => part.text)));
  return [
    `    when   ${text} = ${valueText(result)}`,
    ...inner.map((part) => `           ${part.text.padEnd(width)}  ${valueText(part.result)}`),
  ];
}

const textWidthMax = 60;

const valueText = (result: ExplainedValue): string => ("value" in result ? result.value : `failed: ${result.failure}`);

function changeLines({ of, name, before, after }: Change): readonly string[] {
  const what = of.endsWith("-body") ? of.replace("-", " ") : `${of.replace("-", " ")} ${name}`;
  return [...before.map((value) => `    -      ${what}: ${value}`), ...after.map((value) => `    +      ${what}: ${value}`)];
}

function toldLines({ to, kind, status, set, remove, bodyBytes, asks }: ToldAnswer): readonly string[] {
  const nothing = set.length === 0 && remove.length === 0 && bodyBytes === undefined && asks === undefined && kind === "continue";
  return [
    `${to.padEnd(17)}  ${kind === "reply" ? `reply ${status}` : nothing ? "go on as it is" : "go on with"}`,
    ...remove.map((name) => `    remove ${name}`),
    ...set.map(({ name, value, append }) => `    ${append ? "add   " : "set   "} ${name}: ${value}`),
    ...(bodyBytes === undefined ? [] : [`    body   ${bodyBytes} bytes`]),
    ...(asks === undefined
      ? []
      : [
          `    send   ${Object.entries(asks)
            .map(([what, mode]) => `${what} ${mode}`)
            .join(", ")}`,
        ]),
  ];
}

function messageLines(
  first: string,
  { headers, body }: { readonly headers: Readonly<Record<string, readonly string[]>>; readonly body: string },
): readonly string[] {
  const lines = Object.entries(headers).flatMap(([name, values]) => values.map((value) => `    ${name}: ${value}`));
  return [first, ...lines, ...(body === "" ? [] : [`    ${body.trimEnd()}`])];
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return [paint.strong(title), ...lines.map((line) => `  ${line}`)].map((line) => `${line}\n`).join("");
}

const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

function same(text: string): string {
  return text;
}
