import { problem } from "../errors.ts";
import { type Acknowledgements, readAcknowledgements } from "./acknowledgements.ts";
import { canonicalHash } from "./canonical.ts";
import { checkStep, nothingSoFar, type StepContext } from "./check-step.ts";
import type { Definition } from "./merge.ts";
import { checkName } from "./names.ts";
import { type Place, plainValue } from "./node.ts";
import { sizeText } from "./quantities.ts";
import { at, type Report, readBoolean, readEntries, readFields, readList, readSize, readText } from "./read.ts";
import { reportMisplacedSecrets } from "./secrets.ts";
import type { CheckedChain, CheckedStep } from "./types.ts";

/** Steps in one chain. */
export const stepsMax = 100;

export type ChainContext = Pick<StepContext, "environment" | "policies" | "secret">;

export interface ChainResult {
  /** Undefined when there are problems. A chain that is switched off is checked like any other. */
  readonly chain: CheckedChain | undefined;
  readonly enabled: boolean;
  readonly acknowledgements: Acknowledgements;
}

const chainKeys = ["description", "labels", "enabled", "rawPath", "bodyBytesMax", "acknowledge", "steps"];

export function checkChain(name: string, place: Definition, context: ChainContext, reportProblem: Report): ChainResult {
  let failed = false;
  const report: Report = (found) => {
    failed ||= found.severity === "error";
    reportProblem(found);
  };
  checkName(name, "chain", place, report);
  const fields = readFields(place, chainKeys, report);
  const acknowledgements = readAcknowledgements(fields?.optional("acknowledge"), "chain", report);
  if (fields === undefined) return { chain: undefined, enabled: true, acknowledgements };
  for (const key of chainKeys.filter((candidate) => candidate !== "steps")) reportMisplacedSecrets(fields.optional(key), report);

  const enabled = readBoolean(fields.optional("enabled"), report) ?? true;
  const largest = context.environment.envoy.bodyBytesMax;
  const bounds = { what: "the body limit", min: 0, max: largest, because: `the settings allow ${sizeText(largest)}` };
  const parts = {
    description: readText(fields.optional("description"), report),
    labels: readLabels(fields.optional("labels"), report),
    rawPath: readBoolean(fields.optional("rawPath"), report) ?? false,
    bodyBytesMax: readSize(fields.optional("bodyBytesMax"), bounds, report),
  };
  const steps = checkSteps(fields.required("steps", "the list of steps, in the order in which they run"), context, report);
  if (failed) return { chain: undefined, enabled, acknowledgements };
  const acknowledged = acknowledgements.list;
  const hash = canonicalHash(plainValue(place.node));
  const chain: CheckedChain = {
    name,
    provider: place.origin?.provider,
    ...parts,
    steps,
    acknowledged,
    hash,
    position: place.node.position,
  };
  return { chain: Object.freeze(chain), enabled, acknowledgements };
}

function checkSteps(place: Place | undefined, context: ChainContext, report: Report): readonly CheckedStep[] {
  const items = (place && readList(place, report)) ?? [];
  if (place !== undefined && items.length > stepsMax) {
    report(problem("too-many", at(place), { what: "steps", found: items.length, max: stepsMax }));
    return [];
  }
  const steps: CheckedStep[] = [];
  const names = new Map<string, Place>();
  let before = nothingSoFar;
  for (const [index, item] of items.entries()) {
    const { step, name, after } = checkStep(item, { ...context, before, later: items.slice(index + 1) }, report);
    before = after;
    if (step !== undefined) steps.push(step);
    if (name === undefined) continue;
    const earlier = names.get(name);
    if (earlier !== undefined) {
      const related = [{ message: "the first one", position: earlier.keyPosition }];
      report(problem("step-duplicate", { ...at(item), related }, { step: name }));
    }
    names.set(name, earlier ?? item);
  }
  return Object.freeze(steps);
}

function readLabels(place: Place | undefined, report: Report): Readonly<Record<string, string>> {
  const labels = readEntries(place, report).map(([key, value]) => [key, readText(value, report) ?? ""] as const);
  return Object.freeze(Object.fromEntries(labels));
}
