/** `npm run bench:chaos` in short. How fast changes are live depends on the machine: here they only have to become so. */
import { expect, test } from "vitest";
import { chaosFindings } from "../bench/chaos/findings.ts";
import { runChaos } from "../bench/chaos/run-chaos.ts";

test("configurations replaced a hundred times a second, one in three broken: every answer is of one good generation, nothing is left", async () => {
  const report = await runChaos({ rounds: 2, roundMs: 3_000, perSecond: 100, progress: () => {} });
  const findings = chaosFindings(report, { configurationsMin: 5, liveMsMax: Number.POSITIVE_INFINITY, growthMax: 0.5 });
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
});
