/**
 * An Envoy that ignores the override which asks for a response's body: the response passes unseen, and what the engine sees is what it sees of a
 * client that leaves. So it says aloud that a step did not run, and how that is mended.
 */
import { expect, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { send } from "../../scripts/processes/send.ts";
import type { LogLine } from "../../scripts/processes/start-engine.ts";
import { startTestStage } from "../support/test-stage.ts";

const policies = `
version: 1
chains:
  reads:
    steps: [{ policy: set-header@2, when: response.?json.hasValue(), parameters: { response: [{ set: { name: x-read, value: "yes" } }] } }]
routes: { orders: reads }
`;

test("a response that has passed unseen is named in the log and counted", async () => {
  const stage = await startTestStage({
    policies,
    bootstrap: (bootstrap) => {
      const places = [
        ["allow_mode_override", false],
        ["processing_mode", { request_header_mode: "SEND", response_header_mode: "SEND" }],
      ] as const;
      return places.reduce((data, [key, value]) => replaceAt(data, [...envoyPlaces.extProc, key], value), bootstrap);
    },
  });
  try {
    const warned = new Promise<LogLine>((resolve) => {
      stage.engine.onLog((line) => line.code === "body-not-sent" && resolve(line));
    });
    const { status, body } = await send(stage.envoy.port, { path: "/orders/1" });
    expect([status, body.length > 0]).toEqual([200, true]);
    expect(await warned).toMatchObject({
      level: "warn",
      chain: "reads",
      route: "orders",
      direction: "response",
      remedy: expect.stringContaining("allow_mode_override: true"),
    });
    const metrics = (await send(stage.engine.adminPort, { path: "/metrics" })).body;
    expect(metrics).toContain('policy_engine_exchanges_total{outcome="body-not-sent"} 1');
    expect(metrics).toContain('policy_engine_failures_total{code="body-not-sent"} 1');
  } finally {
    await stage.close();
  }
});
