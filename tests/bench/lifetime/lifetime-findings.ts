import type { Finding } from "../finding.ts";
import type { LifetimeReport } from "./run-lifetime.ts";

/** What the heap may have grown by between a quarter of the run and its end. */
const growthMax = 0.05;

export function lifetimeFindings({ parts, counts, memory: { atQuarter, atEnd } }: LifetimeReport): readonly Finding[] {
  return [
    ...parts.map(({ name, seconds, tally: { answers, wrong, faults } }) => ({
      what: `${name}: ${answers} in ${seconds.toFixed(1)} s (${Math.round(answers / seconds)}/s)`,
      saw: `${wrong} wrong`,
      wanted: "0 wrong",
      ok: wrong === 0,
      details: faults,
    })),
    ...counts.map(({ name, value, expected }) => ({
      what: name,
      saw: String(value),
      wanted: String(expected),
      ok: value === expected,
      details: [],
    })),
    growth("the engine's heap after a collection", atQuarter.heapBytes, atEnd.heapBytes),
    growth("what the heap holds outside of it", atQuarter.externalBytes, atEnd.externalBytes),
    { ...growth("resident memory", atQuarter.residentBytes, atEnd.residentBytes), wanted: "", ok: true },
  ];
}

function growth(what: string, before: number, after: number): Finding {
  const ratio = after / before - 1;
  return {
    what: `${what}, at 25 % and at 100 %`,
    saw: `${megabytes(before)} and ${megabytes(after)} MB (${ratio < 0 ? "" : "+"}${(ratio * 100).toFixed(1)} %)`,
    wanted: `at most +${growthMax * 100} %`,
    ok: ratio <= growthMax,
    details: [],
  };
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
