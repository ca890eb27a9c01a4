import { problem } from "../errors.ts";
import { readAcknowledgements } from "./acknowledgements.ts";
import { checkCondition, type ExpressionContext } from "./check-expression.ts";
import { checkHeaders, type HeaderStep, type HeadersSoFar, noHeaders } from "./check-headers.ts";
import { afterStep, checkReads, type Written } from "./check-metadata.ts";
import { checkParameters } from "./check-parameters.ts";
import { checkReach, runsWhen } from "./check-reach.ts";
import { messageBudgetMs } from "./message-budget.ts";
import { checkName } from "./names.ts";
import type { Place } from "./node.ts";
import { type PolicyCatalogue, resolvePolicy } from "./policy-reference.ts";
import { durationText } from "./quantities.ts";
import { at, atKey, type Fields, type Report, readChoice, readDuration, readFields, readText } from "./read.ts";
import { stepScope } from "./scope.ts";
import { type ReadSecret, reportMisplacedSecrets } from "./secrets.ts";
import type { CheckEnvironment, CheckedStep, FailureMode, PolicyManifest, PolicyRelease } from "./types.ts";

/** A step's deadline where none is written, milliseconds. */
const timeoutDefaultMs = 1000;

/** What a step is checked against. */
export interface StepContext {
  readonly environment: CheckEnvironment;
  readonly policies: PolicyCatalogue;
  readonly secret: ReadSecret;
  readonly before: ChainSoFar;
  /** The places of the steps after it. */
  readonly later: readonly Place[];
}

/** What a step finds of those before it in its chain. */
export interface ChainSoFar {
  /** Metadata that earlier steps write; `unknown` once one of them could not be found. */
  readonly written: Written;
  readonly metadata: "known" | "unknown";
  readonly headers: HeadersSoFar;
  /** The step that always answers, so that none after it runs. */
  readonly ended: string | undefined;
}

export const nothingSoFar: ChainSoFar = { written: new Map(), metadata: "known", headers: noHeaders, ended: undefined };

export interface StepResult {
  /** Undefined when there are problems. */
  readonly step: CheckedStep | undefined;
  /** Known also when something else is wrong. */
  readonly name: string | undefined;
  /** What the next step finds. */
  readonly after: ChainSoFar;
}

const stepKeys = ["policy", "name", "when", "parameters", "timeout", "onError", "onUpgrade", "onStream", "acknowledge"];

export function checkStep(place: Place, context: StepContext, reportProblem: Report): StepResult {
  const { environment, policies, before } = context;
  let failed = false;
  const reportAll: Report = (found) => {
    failed ||= found.severity === "error";
    reportProblem(found);
  };
  const fields = readFields(place, stepKeys, reportAll);
  if (fields === undefined) return { step: undefined, name: undefined, after: { ...before, metadata: "unknown" } };
  for (const key of stepKeys.filter((candidate) => candidate !== "parameters")) reportMisplacedSecrets(fields.optional(key), reportAll);
  const acknowledgements = readAcknowledgements(fields.optional("acknowledge"), "step", reportAll);
  const { report } = acknowledgements;

  const expressions = { scope: stepScope(before.written, before.metadata), patterns: environment.schemas.patterns };
  const policyPlace = fields.required("policy", "the policy and its version, such as `set-header@1`");
  const release = releaseAt(policyPlace, policies, report);
  const name = readStepName(fields.optional("name"), release?.manifest.name, report);
  const timeoutMs = readTimeout(fields.optional("timeout"), environment.envoy.messageTimeoutMs, report);
  const modes = readFailureModes(fields, report);
  const whenPlace = fields.optional("when");
  const when = readCondition(whenPlace, expressions, report);
  if (release === undefined) return { step: undefined, name, after: { ...before, metadata: "unknown" } };

  const { manifest } = release;
  reportSkips(fields, modes, manifest, report);
  if (before.metadata === "known") {
    checkReads(place, manifest, before.written, { later: () => manifestsOf(context), policies: environment.policies.values() }, report);
  }
  const parametersPlace = fields.optional("parameters") ?? withoutParameters(place);
  const parameters = checkParameters(parametersPlace, release, expressions, context, report);
  const runs = whenPlace !== undefined && when === undefined ? "sometimes" : runsWhen(when);
  const certain = runs === "always" && modes.onError === "deny" ? "certain" : "uncertain";
  const written = afterStep(place, manifest, certain, before.written, report);
  checkReach(place, manifest, runs, before.ended, report);
  if (name === undefined || parameters === undefined) return { step: undefined, name, after: { ...before, written } };

  const skippedBy = skipOf(runs, modes);
  const headers = checkHeaders({ name, manifest, parameters, place: parametersPlace, when, skippedBy }, before.headers, report);
  const ends = manifest.replies === "always" && skippedBy === undefined;
  const after = { ...before, written, headers, ended: before.ended ?? (ends ? name : undefined) };
  // What an unknown step before would have done may be what is acknowledged.
  if (!failed && before.metadata === "known") acknowledgements.reportUnused();
  if (failed) return { step: undefined, name, after };
  const step: CheckedStep = {
    name,
    release,
    parameters: parameters.value,
    parametersHash: parameters.hash,
    shownParameters: parameters.shown,
    literalSecrets: parameters.literalSecrets,
    when,
    whenReadsResponse: when?.reads.some((read) => read === "response" || read.startsWith("response.")) === true,
    reads: new Set([...(when?.reads ?? []), ...[...parameters.reads.values()].flat()]),
    timeoutMs,
    ...modes,
    acknowledged: acknowledgements.list,
    position: place.node.position,
    path: place.path,
  };
  return { step: Object.freeze(step), name, after };
}

interface FailureModes {
  readonly onError: FailureMode;
  readonly onUpgrade: FailureMode;
  readonly onStream: FailureMode;
}

function readFailureModes(fields: Fields, report: Report): FailureModes {
  const read = (key: string): FailureMode => readChoice(fields.optional(key), ["deny", "skip"], report) ?? "deny";
  return { onError: read("onError"), onUpgrade: read("onUpgrade"), onStream: read("onStream") };
}

/** Because of what a request may pass the step as if it were not there. */
function skipOf(runs: ReturnType<typeof runsWhen>, { onError, onUpgrade }: FailureModes): HeaderStep["skippedBy"] {
  if (runs !== "always") return "the step's `when`";
  if (onError === "skip") return "`onError: skip`";
  return onUpgrade === "skip" ? "`onUpgrade: skip`" : undefined;
}

/** The place of a step that has no `parameters`: what is missing is missing in the step. */
function withoutParameters(step: Place): Place {
  return { ...step, node: { kind: "map", entries: new Map(), position: step.node.position } };
}

function readStepName(place: Place | undefined, otherwise: string | undefined, report: Report): string | undefined {
  if (place === undefined) return otherwise;
  const name = readText(place, report);
  return name !== undefined && checkName(name, "step", place, report) ? name : undefined;
}

function readTimeout(place: Place | undefined, messageTimeoutMs: number, report: Report): number {
  const budgetMs = messageBudgetMs(messageTimeoutMs);
  const because = `the engine answers within ${durationText(budgetMs)}, 90 % of Envoy's message timeout`;
  const timeoutMs = readDuration(place, { what: "the timeout", min: 1, max: Math.max(budgetMs - 1, 1), because }, report);
  return timeoutMs ?? Math.min(timeoutDefaultMs, budgetMs);
}

function readCondition(place: Place | undefined, context: ExpressionContext, report: Report): CheckedStep["when"] {
  const text = readText(place, report);
  if (place?.node.kind !== "scalar" || text === undefined) return undefined;
  return checkCondition({ text, path: place.path, positionOf: place.node.positionOf }, context, report);
}

function reportSkips(fields: Fields, modes: FailureModes, { name, version, protects }: PolicyManifest, report: Report): void {
  if (!protects) return;
  for (const [setting, mode] of Object.entries(modes)) {
    const place = fields.optional(setting);
    if (mode === "skip" && place !== undefined) report(problem("protects-skip", atKey(place), { policy: `${name}@${version}`, setting }));
  }
}

/** The steps after this one whose policies are known. */
function manifestsOf({ later, policies }: StepContext): readonly { readonly manifest: PolicyManifest; readonly place: Place }[] {
  return later.flatMap((place) => {
    const release = releaseAt(readFields(place, stepKeys, () => {})?.optional("policy"), policies, () => {});
    return release === undefined ? [] : [{ manifest: release.manifest, place }];
  });
}

function releaseAt(place: Place | undefined, policies: PolicyCatalogue, report: Report): PolicyRelease | undefined {
  const reference = readText(place, report);
  return place && reference !== undefined ? resolvePolicy(reference, at(place), policies, report) : undefined;
}
