/** Whether a step of a chain can run at all. */
import { problem } from "../errors.ts";
import type { Place } from "./node.ts";
import { atKey, type Report } from "./read.ts";
import type { CheckedStep, PolicyManifest } from "./types.ts";

/** `always` for a condition that is never false, `never` for one that is never true; a condition that reads nothing is known now. */
export function runsWhen(when: CheckedStep["when"]): "always" | "sometimes" | "never" {
  if (when === undefined) return "always";
  if (when.reads.length > 0) return "sometimes";
  try {
    return when.run({}) ? "always" : "never";
  } catch {
    // It fails in every exchange, which the step's failure mode decides.
    return "sometimes";
  }
}

/** @param ended the step before, if any, that always answers */
export function checkReach(
  place: Place,
  { name, version, protects }: PolicyManifest,
  runs: ReturnType<typeof runsWhen>,
  ended: string | undefined,
  report: Report,
): void {
  if (ended === undefined && runs !== "never") return;
  const because = ended === undefined ? "its `when` is never true" : `the step \`${ended}\` before it always answers`;
  if (protects) report(problem("protects-unreachable", atKey(place), { policy: `${name}@${version}`, because }));
  else report(problem("step-unreachable", atKey(place), { because }));
}
