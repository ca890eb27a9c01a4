import { isDeepStrictEqual } from "node:util";
import type { Expectation, TestCase } from "./case-format.ts";
import type { TestBody, TestExchange, TestHeaders, TestMessage } from "./test-engine.ts";

/** What became of a case's exchange. */
export type Outcome =
  | { readonly kind: "exchanged"; readonly exchange: TestExchange }
  /** The parameters or the configuration are refused; the problems as text. */
  | { readonly kind: "refused"; readonly problems: string };

/** One thing that a case expects, or that happened without being expected, and what was found. Undefined where there is none. */
export interface Comparison {
  /** Inside `expect`: `["reply", "headers", "x-a"]`. */
  readonly path: readonly string[];
  readonly expected: unknown;
  readonly found: unknown;
  readonly equal: boolean;
  /** What else helps to see why. */
  readonly detail?: string;
}

/** Everything that an expectation names, beside what was found. Nothing that it does not name, except for what must not go unnoticed. */
export function compareOutcome(expected: Expectation, outcome: Outcome): readonly Comparison[] {
  if (outcome.kind === "refused") return [refusal(expected, outcome.problems)];
  const { exchange } = outcome;
  const { client, upstream } = exchange;
  const [failure] = exchange.failures;
  const { reply, request, response, metadata = {} } = expected;
  const replied = exchange.reply === undefined ? undefined : { status: client.status, code: exchange.reply };
  // A failure that nobody skips is answered too: it has been said already.
  const replyMatters = reply !== undefined || (replied !== undefined && failure === undefined);
  return [
    ...(expected.refused === undefined ? [] : [compared(["refused"], expected.refused, undefined)]),
    ...(expected.failure === undefined && failure === undefined ? [] : [failureComparison(expected.failure, failure)]),
    ...(!replyMatters ? [] : partComparisons(["reply"], reply, replied && { ...client, ...replied })),
    ...(request === undefined ? [] : partComparisons(["request"], request, upstream)),
    ...(response === undefined ? [] : partComparisons(["response"], response, client)),
    ...Object.entries(metadata).map(([key, value]) => compared(["metadata", key], value, exchange.metadata[key])),
  ];
}

/** What came out as an expectation that holds: what was named, or, where that says nothing, all that an exchange changes. */
export function expectationFor(one: TestCase, outcome: Outcome): Expectation {
  const named = one.expect === undefined ? [] : compareOutcome(one.expect, outcome).filter(({ found }) => found !== undefined);
  if (named.length === 0) return wholeExpectation(one, outcome);
  const expectation = {};
  for (const { path, expected, found, equal } of named) setAt(expectation, path, equal ? expected : found);
  return expectation;
}

function refusal(expected: Expectation, problems: string): Comparison {
  const equal = expected.refused !== undefined && problems.includes(expected.refused);
  return { path: ["refused"], expected: expected.refused, found: firstMessage(problems), equal, detail: problems };
}

/** `error[code] MESSAGE` */
const firstMessage = (problems: string): string => /\] (.*)/.exec(problems)?.[1] ?? problems;

function failureComparison(expected: string | undefined, failure: TestExchange["failures"][number] | undefined): Comparison {
  const comparison = compared(["failure"], expected, failure?.code);
  return failure === undefined ? comparison : { ...comparison, detail: `${failure.step}: ${String(failure.cause)}` };
}

/** What a request, a response or a reply can be asked for. */
const fields = ["status", "code", "method", "path", "host", "body"] as const;

type Fields = { readonly [field in (typeof fields)[number]]?: string | number };

/** The named fields of a message; the message itself where only one of the two is there. */
function partComparisons(
  path: readonly string[],
  expected: (Fields & { readonly headers?: TestHeaders; readonly trailers?: TestHeaders }) | undefined,
  found: (Fields & Pick<TestMessage, "headers" | "trailers">) | undefined,
): readonly Comparison[] {
  if (expected === undefined || found === undefined) return [compared(path, expected, found && { status: found.status, code: found.code })];
  return [
    ...fields.filter((field) => expected[field] !== undefined).map((field) => compared([...path, field], expected[field], found[field])),
    ...(["headers", "trailers"] as const).flatMap((lines) =>
      Object.entries(expected[lines] ?? {}).map(([name, value]) =>
        headerComparison([...path, lines, name], value, found[lines][name.toLowerCase()]),
      ),
    ),
    // That it is there at all is what an empty expectation says.
    ...(Object.keys(expected).length === 0 ? [compared(path, {}, {})] : []),
  ];
}

function headerComparison(path: readonly string[], expected: string | readonly string[], found: readonly string[] = []): Comparison {
  const equal = isDeepStrictEqual([expected].flat(), found);
  return { path, expected, found: found.length === 1 ? found[0] : found, equal };
}

function compared(path: readonly string[], expected: unknown, found: unknown): Comparison {
  return { path, expected, found, equal: isDeepStrictEqual(expected, found) };
}

function wholeExpectation(one: TestCase, outcome: Outcome): Expectation {
  if (outcome.kind === "refused") return { refused: firstMessage(outcome.problems) };
  const { client, upstream, reply, metadata, failures } = outcome.exchange;
  const [failure] = failures;
  if (failure !== undefined && reply !== undefined) return { failure: failure.code };
  const written = Object.fromEntries(Object.entries(metadata).filter(([key, value]) => !isDeepStrictEqual(value, one.metadata[key])));
  const sent = one.response;
  const changed = differentHeaders(reply === undefined ? sent.headers : {}, client.headers);
  return {
    ...(failure === undefined ? {} : { failure: failure.code }),
    ...(upstream === undefined ? {} : { request: requestChanges(one, upstream) }),
    ...(reply === undefined
      ? { response: { status: client.status, ...changed, ...(client.body === wholeText(sent.body) ? {} : { body: client.body }) } }
      : { reply: { status: client.status, code: reply, ...changed, ...(client.body === "" ? {} : { body: client.body }) } }),
    ...(Object.keys(written).length === 0 ? {} : { metadata: written }),
  };
}

function requestChanges({ request }: TestCase, upstream: NonNullable<TestExchange["upstream"]>): NonNullable<Expectation["request"]> {
  const sent = { method: "GET", path: "/", host: "example.com", ...request, body: wholeText(request.body) };
  const changed = (["method", "path", "host", "body"] as const).filter((field) => upstream[field] !== sent[field]);
  return {
    ...Object.fromEntries(changed.map((field) => [field, upstream[field]])),
    ...differentHeaders(request.headers, upstream.headers),
  };
}

const wholeText = (body: TestBody = ""): string => [body].flat().join("");

/** Headers that are new, changed or gone; without those that the engine writes for every exchange. */
function differentHeaders(before: TestHeaders = {}, after: TestMessage["headers"]): { readonly headers?: TestHeaders } {
  const sent = new Map(Object.entries(before).map(([name, value]) => [name.toLowerCase(), [value].flat()]));
  const names = [...new Set([...sent.keys(), ...Object.keys(after)])].filter((name) => !everyExchange.has(name)).sort();
  const different = names.filter((name) => !isDeepStrictEqual(sent.get(name) ?? [], after[name] ?? []));
  if (different.length === 0) return {};
  const value = (found: readonly string[]): string | readonly string[] => (found.length === 1 ? (found[0] ?? "") : found);
  return { headers: Object.fromEntries(different.map((name) => [name, value(after[name] ?? [])])) };
}

const everyExchange: ReadonlySet<string> = new Set(["content-length", "x-decision-id"]);

function setAt(target: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const next: Record<string, unknown> = { ...(target[key] ?? {}) };
  target[key] = next;
  setAt(next, rest, value);
}
