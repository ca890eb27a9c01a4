/** Runs the cases of a file, each in an engine of its own, without Envoy and without the outside world. */
import { stringify } from "yaml";
import { keyPath } from "../config/node.ts";
import { placeAt } from "../config/parameter-problems.ts";
import { pointerTo } from "../config/pointer.ts";
import type { PolicyRegistry, PolicyRelease, SourceDocument } from "../config/types.ts";
import type { Position } from "../errors.ts";
import type { CaseFile, Expectation, TestCase } from "./case-format.ts";
import { compareOutcome, expectationFor, type Outcome } from "./expectations.ts";
import { givenMetadata } from "./given-metadata.ts";
import { inTurn } from "./in-turn.ts";
import { createMockedCalls } from "./mocked-calls.ts";
import { RefusedConfigurationError, startTestEngine } from "./test-engine.ts";

export interface CaseResult {
  readonly name: string;
  /** Of the case in its file. */
  readonly position: Position;
  /** What did not come out as expected; empty when all did. */
  readonly differences: readonly Difference[];
  /** What came out, as an expectation that holds. */
  readonly outcome: Expectation;
  readonly durationMs: number;
}

export interface Difference {
  /** Of the expectation, or of what stands nearest to it. */
  readonly position: Position;
  /** Inside the case: `expect.reply.status`. */
  readonly path: string;
  readonly message: string;
  /** What was expected and found, where there is something to compare. */
  readonly values?: { readonly expected: unknown; readonly found: unknown };
  /** What else helps to see why. */
  readonly detail?: string;
}

/** What the cases of a file are about: the policy in whose folder it is, or the configuration that it names. */
export type CaseSubject =
  | { readonly kind: "policy"; readonly release: PolicyRelease }
  | { readonly kind: "config"; readonly documents: readonly SourceDocument[] };

export interface CaseRunOptions {
  /** The policies that configurations may use. A policy under test stands in for the one of its name and version. */
  readonly policies: PolicyRegistry;
  /** Which cases are run. Default: all. */
  readonly chosen?: (one: TestCase) => boolean;
}

/** Runs cases one after the other. */
export async function runCases(file: CaseFile, subject: CaseSubject, options: CaseRunOptions): Promise<readonly CaseResult[]> {
  const { chosen = () => true } = options;
  const results: CaseResult[] = [];
  for (const one of file.cases.filter(chosen)) {
    const startedMs = performance.now();
    const { outcome, differences } = await runCase(one, file, chainOf(one, subject, options.policies));
    results.push({
      name: one.name,
      position: one.place.node.position,
      differences,
      outcome: expectationFor(one, outcome),
      durationMs: performance.now() - startedMs,
    });
  }
  return results;
}

interface CaseChain {
  readonly documents: readonly SourceDocument[];
  readonly policies: PolicyRegistry;
  readonly route: string;
}

function chainOf(one: TestCase, subject: CaseSubject, policies: PolicyRegistry): CaseChain {
  if (subject.kind === "config") return { documents: subject.documents, policies, route: one.route ?? "" };
  const { release } = subject;
  const given = Object.keys(one.metadata).length === 0 ? [] : [givenMetadata(one.metadata, policies)];
  const releases = [...given, release].map((each) => [`${each.manifest.name}@${each.manifest.version}`, each] as const);
  const steps = releases.map(([policy, each]) => ({ policy, ...(each === release ? { parameters: one.parameters } : {}) }));
  const config = { version: 1, chains: { case: { steps } }, routes: { case: "case" } };
  return {
    documents: [{ uri: madeUp, text: stringify(config) }],
    policies: new Map([...policies, ...releases]),
    route: "case",
  };
}

const madeUp = "config.yaml";

async function runCase(
  one: TestCase,
  { environment, files }: CaseFile,
  { documents, policies, route }: CaseChain,
): Promise<{ readonly outcome: Outcome; readonly differences: readonly Difference[] }> {
  const calls = createMockedCalls(one.calls);
  const outcome = await exchangeOf(async () => {
    const engine = await startTestEngine({
      policies,
      config: documents,
      ...(one.now === undefined ? {} : { now: () => Date.parse(one.now ?? "") }),
      random: inTurn(one.random),
      fetch: calls.fetch,
      environment,
      files,
    });
    try {
      return await engine.exchange({ route, ...one.request }, one.response);
    } finally {
      engine.close();
    }
  });
  const unmade = calls.unmade().map((index) => difference(one, ["calls", index], "the call was never made"));
  const unknown = calls.unknown().map((call) => difference(one, ["calls"], `a call was made that is not given: ${call}`));
  return { outcome, differences: [...expectedDifferences(one, outcome), ...unmade, ...unknown] };
}

async function exchangeOf(exchange: () => Promise<Extract<Outcome, { kind: "exchanged" }>["exchange"]>): Promise<Outcome> {
  try {
    return { kind: "exchanged", exchange: await exchange() };
  } catch (error) {
    if (error instanceof RefusedConfigurationError) return { kind: "refused", problems: withoutMadeUp(error.message) };
    throw error;
  }
}

/** Nobody has written the configuration around a policy's case, so places in it would only mislead. */
function withoutMadeUp(problems: string): string {
  return problems.replaceAll(new RegExp(`^${madeUp}:\\d+:\\d+: `, "gm"), "").replaceAll(/^( {2}at )chains\.case\.steps\[\d\]\./gm, "$1");
}

function expectedDifferences(one: TestCase, outcome: Outcome): readonly Difference[] {
  if (one.expect === undefined) return [difference(one, ["expect"], "the case expects nothing; `--update` writes down what comes out")];
  return compareOutcome(one.expect, outcome)
    .filter(({ equal }) => !equal)
    .map(({ path, expected, found, detail }) => ({
      ...difference(one, ["expect", ...path], messageOf(expected, found)),
      values: { expected, found },
      ...(detail === undefined ? {} : { detail }),
    }));
}

function messageOf(expected: unknown, found: unknown): string {
  if (expected === undefined) return "happened, and was not expected";
  return found === undefined ? "did not happen" : "differs";
}

function difference(one: TestCase, path: readonly (string | number)[], message: string): Difference {
  const place = placeAt({ ...one.place, path: "" }, path.reduce<string>(pointerTo, ""));
  const text = path.reduce<string>((parent, key) => (typeof key === "number" ? `${parent}[${key}]` : keyPath(parent, key)), "");
  return { position: place.node.position, path: text, message };
}
