import { type Finding, growth } from "../finding.ts";
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
    growth("the engine's heap after a collection, at 25 % and at 100 %", atQuarter.heapBytes, atEnd.heapBytes, growthMax),
    growth("what the heap holds outside of it, at 25 % and at 100 %", atQuarter.externalBytes, atEnd.externalBytes, growthMax),
    { ...growth("resident memory, at 25 % and at 100 %", atQuarter.residentBytes, atEnd.residentBytes, growthMax), wanted: "", ok: true },
  ];
}
