/** `npm run bench:lifetime` in short: as many at once, and fewer one after another, over one connection to the engine. */
import { expect, test } from "vitest";
import { lifetimeFindings } from "../bench/lifetime/findings.ts";
import { runLifetime } from "../bench/lifetime/run-lifetime.ts";
import { transportUnderTest } from "../support/test-stage.ts";

test.for(["off", "on"] as const)(
  "ten thousand exchanges at once, twice, and nothing is lost, mixed up or left, with Envoy's graceful close %s",
  { timeout: 180_000 },
  async (gracefulClose) => {
    const setting = { transport: transportUnderTest(), gracefulClose };
    const report = await runLifetime({ ...setting, sequential: 5_000, connections: 8, concurrent: 10_000, progress: () => {} });
    expect(lifetimeFindings(report).filter(({ ok }) => !ok)).toEqual([]);
  },
);
