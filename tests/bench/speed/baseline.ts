/** The committed ratios. They are for changes that nobody meant, not for a few per cent: two runs on two machines differ by more. */
import { readFileSync } from "node:fs";
import type { Row } from "./table.ts";

/** How much more than what is committed is too much. */
const timesMax = 2;

const file = new URL("../baseline.json", import.meta.url);

/** By contender: processor time for each exchange, to the reference's. */
export type Baseline = Readonly<Record<string, number>>;

export function readBaseline(): Baseline {
  const data: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof data !== "object" || data === null) throw new Error(`${file.pathname} holds ratios by contender`);
  return Object.fromEntries(Object.entries(data).flatMap(([name, ratio]) => (typeof ratio === "number" ? [[name, ratio]] : [])));
}

/** A line for each row that costs more than twice what is committed in every one of its rounds, and for each that nothing is committed for. */
export function regressions(rows: readonly Pick<Row, "contender" | "reference" | "cpuRatios">[], baseline: Baseline): readonly string[] {
  return rows.flatMap(({ contender, reference, cpuRatios }) => {
    const committed = baseline[contender];
    if (contender === reference || cpuRatios.every((ratio) => ratio === 0)) return [];
    if (committed === undefined) return [`${contender}: tests/bench/baseline.json has no ratio for it`];
    if (cpuRatios.some((ratio) => ratio <= committed * timesMax)) return [];
    const rounds = cpuRatios.map((ratio) => ratio.toFixed(2)).join(", ");
    return [`${contender}: ${rounds} times ${reference} in every round, more than twice the committed ${committed}`];
  });
}
