/** What has changed between the steps of two versions of a chain. Steps are known by their names. */
import { pointerKeys } from "../config/pointer.ts";
import { type ShownStep, showStep } from "../config/shown-config.ts";
import type { CheckedStep } from "../config/types.ts";
import { diffValues, type ValueChange } from "./diff-values.ts";

/** `after` is the step before it in the new chain; without it the step is the first one. */
export type StepChange =
  | { readonly kind: "added"; readonly step: string; readonly after?: string; readonly definition: ShownStep }
  | { readonly kind: "removed"; readonly step: string; readonly definition: ShownStep }
  | { readonly kind: "moved"; readonly step: string; readonly after?: string }
  | { readonly kind: "changed"; readonly step: string; readonly changes: readonly ValueChange[] };

/** Removed steps come first, then the others as they stand in the new chain: done in this order the changes make the new chain of the old one. */
export function diffSteps(from: readonly CheckedStep[], to: readonly CheckedStep[]): readonly StepChange[] {
  const before = new Map(from.map((step) => [step.name, step]));
  const after = new Map(to.map((step) => [step.name, step]));
  const removed = from.filter(({ name }) => !after.has(name));
  const stay = unmoved(
    from.filter(({ name }) => after.has(name)).map(({ name }) => name),
    to.filter(({ name }) => before.has(name)).map(({ name }) => name),
  );
  return [
    ...removed.map((step): StepChange => ({ kind: "removed", step: step.name, definition: showStep(step) })),
    ...to.flatMap((step, index) => diffStep(before.get(step.name), step, stay.has(step.name) ? "stays" : "moved", to[index - 1]?.name)),
  ];
}

function diffStep(
  from: CheckedStep | undefined,
  to: CheckedStep,
  place: "stays" | "moved",
  previous: string | undefined,
): readonly StepChange[] {
  const step = to.name;
  const after = previous === undefined ? {} : { after: previous };
  if (from === undefined) return [{ kind: "added", step, ...after, definition: showStep(to) }];
  const changes = diffContents(from, to);
  return [
    ...(place === "moved" ? [{ kind: "moved", step, ...after } as const] : []),
    ...(changes.length > 0 ? [{ kind: "changed", step, changes } as const] : []),
  ];
}

/** The parameters of another policy have nothing to do with those of this one. */
function diffContents(from: CheckedStep, to: CheckedStep): readonly ValueChange[] {
  const [{ parameters: given, ...before }, { parameters: taken, ...after }] = [withSecretHashes(from), withSecretHashes(to)];
  const others = diffValues("", before, after);
  const samePolicy = from.release.manifest.name === to.release.manifest.name;
  const parameters = samePolicy ? diffValues("parameters", given, taken) : [{ path: "parameters", from: given, to: taken }];
  return [...others, ...parameters].map(withoutSecretHashes);
}

const redacted = "[redacted]";
const hashedSecret = /^\[redacted\] [0-9a-f]{64}$/;

/** A secret in clear text as its hash: whether it has changed is seen, and nothing else. */
function withSecretHashes(step: CheckedStep): ShownStep {
  const shown = showStep(step);
  const parameters: unknown = structuredClone(shown.parameters);
  for (const [pointer, hash] of step.literalSecrets) setAt(parameters, pointerKeys(pointer), `${redacted} ${hash}`);
  return { ...shown, parameters };
}

function setAt(value: unknown, keys: readonly string[], to: string): void {
  const [last = "", ...rest] = keys.toReversed();
  const holder = rest.reduceRight<unknown>(
    (part, key) => (typeof part === "object" && part !== null ? Reflect.get(part, key) : undefined),
    value,
  );
  if (typeof holder === "object" && holder !== null) Reflect.set(holder, last, to);
}

function withoutSecretHashes({ path, from, to }: ValueChange): ValueChange {
  return { path, ...(from !== undefined && { from: hideHashes(from) }), ...(to !== undefined && { to: hideHashes(to) }) };
}

function hideHashes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideHashes);
  if (typeof value === "string") return hashedSecret.test(value) ? redacted : value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, hideHashes(part)]));
}

/** As many as possible of those that keep their order among each other: whoever is not one of them has been moved. */
function unmoved(from: readonly string[], to: readonly string[]): ReadonlySet<string> {
  const indexes = from.map((name) => to.indexOf(name));
  // For each step the longest run of rising positions that ends with it.
  const runs: number[][] = [];
  for (const [current, index] of indexes.entries()) {
    const fitting = runs.filter((_, earlier) => (indexes[earlier] ?? 0) < index);
    const longest = fitting.reduce<number[]>((best, run) => (run.length > best.length ? run : best), []);
    runs.push([...longest, current]);
  }
  const longest = runs.reduce<number[]>((best, run) => (run.length > best.length ? run : best), []);
  return new Set(longest.flatMap((index) => from[index] ?? []));
}
