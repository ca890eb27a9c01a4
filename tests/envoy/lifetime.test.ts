/** `npm run bench:lifetime` in short: as many at once, and fewer one after another, over one connection to the engine. */
import { expect, test } from "vitest";
import { lifetimeFindings } from "../bench/lifetime/findings.ts";
import type { LifetimeSetting } from "../bench/lifetime/lifetime-stage.ts";
import { runLifetime } from "../bench/lifetime/run-lifetime.ts";
import { transportUnderTest } from "../support/test-stage.ts";

interface Plan {
  readonly gracefulClose: LifetimeSetting["gracefulClose"];
  readonly concurrent: number;
}

const resetting: Plan = { gracefulClose: "off", concurrent: 10_000 };
/** Nothing of this is ours with grpc-js, whose HTTP/2 is Node's. */
const halfClosing: readonly Plan[] = transportUnderTest() === "native" ? [{ gracefulClose: "on", concurrent: 5_000 }] : [];

test.for([resetting, ...halfClosing])(
  "$concurrent exchanges at once, twice, with Envoy's graceful close $gracefulClose, and nothing is lost, mixed up or left",
  { timeout: 180_000 },
  async (plan) => {
    const report = await runLifetime({ ...plan, transport: transportUnderTest(), sequential: 5_000, connections: 8, progress: () => {} });
    expect(lifetimeFindings(report).filter(({ ok }) => !ok)).toEqual([]);
  },
);
