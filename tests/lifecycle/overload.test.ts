import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { replaceAt } from "../../scripts/processes/data.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { type ClientResponse, send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readMetrics } from "../support/admin.ts";
import { startTestStage } from "../support/test-stage.ts";

const policies = `
version: 1
chains: { burning: { steps: [{ policy: burn@1 }] } }
routes: { orders: burning, catalogue-v1: [] }
`;

/** Together many times the bound, so that the loop would be behind for half a minute. */
const burnMs = 200;
const requests = 150;

let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({
    policies,
    program: join(root, "tests/lifecycle/worker-program.ts"),
    settings: (settings) => replaceAt(settings, ["overload"], { loopDelay: "500ms" }),
  });
  return () => stage.close();
});

test("policies that compute for long: those that the engine has no time for hear so, and the others are answered", async () => {
  const answers = await Promise.all(
    Array.from({ length: requests }, () => send(stage.envoy.port, { path: "/orders", headers: { "x-burn-ms": String(burnMs) } })),
  );
  const refused = answers.filter(({ status }) => status === 503);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(requests / 4);
  expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
  for (const answer of refused) expect(shownOf(answer)).toEqual(["overloaded", "1"]);

  // A route without a chain costs nothing and is not refused.
  expect((await send(stage.envoy.port, { path: "/v1/catalogue" })).status).toBe(200);
  await waitFor({ what: "exchanges to be taken again", timeoutMs: 20_000 }, async () => {
    const { status } = await send(stage.envoy.port, { path: "/orders" });
    return status === 200 ? true : undefined;
  });
  const metrics = await readMetrics(stage.engine);
  expect(metrics('policy_engine_failures_total{code="overloaded"}')).toBeGreaterThanOrEqual(refused.length);
  const begun = stage.engine.log.filter(({ code }) => code === "overloaded");
  expect(begun).toHaveLength(metrics("policy_engine_overloads_total"));
  // Not one line for each that was refused.
  expect(begun.length).toBeLessThan(10);
});

function shownOf({ body, headers }: ClientResponse): readonly unknown[] {
  const problem: { readonly code?: unknown } = JSON.parse(body);
  return [problem.code, valuesOf(headers, "retry-after")[0]];
}
