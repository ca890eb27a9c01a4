/** `acknowledge: [{ code, reason }]`: findings that somebody has looked at and means. */
import { acknowledgeableCodes, type ErrorCode, type Problem, problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import type { Place } from "./node.ts";
import { at, type Report, readFields, readList, readText } from "./read.ts";
import type { Acknowledgement } from "./types.ts";

export interface Acknowledgements {
  readonly list: readonly Acknowledgement[];
  /** Reports a problem unless it is acknowledged. */
  readonly report: Report;
  /** Reports what was acknowledged and did not come; of these codes, or of all of them: not every finding is looked for at once. */
  reportUnused(codes?: readonly ErrorCode[]): void;
}

/** Reads what a step or a chain acknowledges. What cannot be acknowledged there is reported and accepts nothing. */
export function readAcknowledgements(place: Place | undefined, owner: "step" | "chain", report: Report): Acknowledgements {
  const list = ((place && readList(place, report)) ?? []).flatMap((item) => readOne(item, owner, report));
  const accepted = new Set(list.map(({ code }) => code));
  const met = new Set<string>();
  return {
    list,
    report: (found) => {
      if (accepted.has(found.code)) met.add(found.code);
      else report(found);
    },
    reportUnused: (codes) => {
      for (const acknowledgement of list) {
        const judged = codes === undefined || codes.some((code) => code === acknowledgement.code);
        if (judged && !met.has(acknowledgement.code)) report(unusedAcknowledgement(acknowledgement));
      }
    },
  };
}

/** There is nothing to acknowledge. */
export function unusedAcknowledgement({ code, position, path }: Acknowledgement): Problem {
  return problem("acknowledge-unused", { position, path }, { code });
}

function readOne(item: Place, owner: "step" | "chain", report: Report): readonly Acknowledgement[] {
  const entry = readFields(item, ["code", "reason"], report);
  const place = entry?.required("code", "the code of the finding that is meant");
  const reason = readText(entry?.required("reason", "why the finding is acceptable here"), report);
  const code = readText(place, report);
  if (code === undefined || place === undefined) return [];
  const known = acknowledgeableCodes(owner);
  if (!known.includes(code)) {
    report(problem("acknowledge-unknown", at(place), { code, place: owner, suggestion: suggest(code, known), known }));
    return [];
  }
  // Without a reason it is an error already; the finding as well would be its echo.
  return [{ code, reason: reason ?? "", ...at(place) }];
}
