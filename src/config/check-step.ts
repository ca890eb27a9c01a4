import { problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import { checkCondition, type ExpressionContext } from "./check-expression.ts";
import { afterStep, checkReads, type Written } from "./check-metadata.ts";
import { checkParameters } from "./check-parameters.ts";
import { messageBudgetMs } from "./message-budget.ts";
import { checkName } from "./names.ts";
import type { Place } from "./node.ts";
import { type PolicyCatalogue, resolvePolicy } from "./policy-reference.ts";
import { durationText } from "./quantities.ts";
import { at, atKey, type Fields, type Report, readChoice, readDuration, readFields, readList, readText } from "./read.ts";
import { stepScope } from "./scope.ts";
import { reportMisplacedSecrets } from "./secrets.ts";
import type { CheckEnvironment, CheckedStep, FailureMode, PolicyManifest } from "./types.ts";

/** A step's deadline where none is written, milliseconds. */
const timeoutDefaultMs = 1000;

/** What a step is checked against. */
export interface StepContext {
  readonly environment: CheckEnvironment;
  readonly policies: PolicyCatalogue;
  /** Metadata that earlier steps of the chain write; `unknown` once one of them could not be found. */
  readonly written: Written;
  readonly metadata: "known" | "unknown";
}

export interface StepResult {
  /** Undefined when there are problems. */
  readonly step: CheckedStep | undefined;
  /** Known also when something else is wrong. */
  readonly name: string | undefined;
  /** What the next step finds. */
  readonly written: Written;
  readonly metadata: "known" | "unknown";
}

const stepKeys = ["policy", "name", "when", "parameters", "timeout", "onError", "onUpgrade", "onStream", "acknowledge"];

export function checkStep(place: Place, context: StepContext, reportProblem: Report): StepResult {
  let failed = false;
  const report: Report = (found) => {
    failed ||= found.severity === "error";
    reportProblem(found);
  };
  const fields = readFields(place, stepKeys, report);
  if (fields === undefined) return { step: undefined, name: undefined, written: context.written, metadata: "unknown" };
  for (const key of stepKeys.filter((candidate) => candidate !== "parameters")) reportMisplacedSecrets(fields.optional(key), report);

  const { environment } = context;
  const expressions = { scope: stepScope(context.written, context.metadata), patterns: environment.schemas.patterns };
  const policyPlace = fields.required("policy", "the policy and its version, such as `set-header@1`");
  const reference = readText(policyPlace, report);
  const release = policyPlace && reference !== undefined ? resolvePolicy(reference, at(policyPlace), context.policies, report) : undefined;
  const name = readStepName(fields.optional("name"), release?.manifest.name, report);
  const timeoutMs = readTimeout(fields.optional("timeout"), environment.envoy.messageTimeoutMs, report);
  const modes = readFailureModes(fields, report);
  const whenPlace = fields.optional("when");
  const when = readCondition(whenPlace, expressions, report);
  checkAcknowledgements(fields, modes, release?.manifest, report);
  if (release === undefined) return { step: undefined, name, written: context.written, metadata: "unknown" };

  if (context.metadata === "known") checkReads(place, release.manifest, context.written, environment.policies.values(), report);
  const parameters = checkParameters(fields.optional("parameters") ?? withoutParameters(place), release, expressions, environment, report);
  const certain = whenPlace === undefined && modes.onError === "deny" ? "certain" : "uncertain";
  const written = afterStep(place, release.manifest, certain, context.written, report);
  if (failed || name === undefined || parameters === undefined) return { step: undefined, name, written, metadata: context.metadata };
  const step: CheckedStep = {
    name,
    release,
    parameters: parameters.value,
    parametersHash: parameters.hash,
    when,
    whenReadsResponse: when?.reads.some((read) => read === "response" || read.startsWith("response.")) === true,
    reads: new Set([...(when?.reads ?? []), ...parameters.reads]),
    timeoutMs,
    ...modes,
    position: place.node.position,
    path: place.path,
  };
  return { step: Object.freeze(step), name, written, metadata: context.metadata };
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

/** Findings that a step's `acknowledge` can accept, with a reason. */
const acknowledgeable = ["protects-skip"] as const;

function checkAcknowledgements(fields: Fields, modes: FailureModes, manifest: PolicyManifest | undefined, report: Report): void {
  const skipped = Object.entries(modes).filter(([, mode]) => mode === "skip" && manifest?.protects === true);
  const place = fields.optional("acknowledge");
  const acknowledged = new Set<string>();
  for (const item of (place && readList(place, report)) ?? []) {
    const entry = readFields(item, ["code", "reason"], report);
    const codePlace = entry?.required("code", "the code of the finding that is meant");
    readText(entry?.required("reason", "why the finding is acceptable here"), report);
    const code = readText(codePlace, report);
    if (code === undefined || codePlace === undefined) continue;
    acknowledged.add(code);
    if (!acknowledgeable.some((known) => known === code)) {
      const facts = { code, suggestion: suggest(code, acknowledgeable), known: acknowledgeable };
      report(problem("acknowledge-unknown", at(codePlace), facts));
    } else if (manifest !== undefined && skipped.length === 0) {
      report(problem("acknowledge-unused", at(codePlace), { code }));
    }
  }
  if (manifest === undefined || acknowledged.has("protects-skip")) return;
  for (const [setting] of skipped) {
    const where = fields.optional(setting);
    if (where !== undefined) report(problem("protects-skip", atKey(where), { policy: `${manifest.name}@${manifest.version}`, setting }));
  }
}
