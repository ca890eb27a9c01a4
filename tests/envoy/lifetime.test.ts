/** `npm run bench:lifetime` in short: as many at once, and fewer one after another. */
import { expect, test } from "vitest";
import { lifetimeFindings } from "../bench/lifetime/findings.ts";
import { runLifetime } from "../bench/lifetime/run-lifetime.ts";

test("ten thousand exchanges at once, twice, and nothing is lost, mixed up or left", async () => {
  const report = await runLifetime({ sequential: 2_000, connections: 8, concurrent: 10_000, progress: () => {} });
  expect(lifetimeFindings(report).filter(({ ok }) => !ok)).toEqual([]);
}, 180_000);
