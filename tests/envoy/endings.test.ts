/**
 * How streams to the engine end. Envoy resets every stream that the server ends first, Node answers many resets on one connection with
 * GOAWAY, and a GOAWAY costs requests. The engine's transport lifts Node's limit, so none may come.
 */
import { Agent } from "node:http";
import { expect, test } from "vitest";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import { startTestStage } from "../support/test-stage.ts";

const policies = `
version: 1
chains:
  one-answer: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: seen }] } }] }
  two-answers: { steps: [{ policy: set-header@1, parameters: { response: [{ name: x-stamp, set: seen }] } }] }
  replies: { steps: [{ policy: api-key-validation@1, parameters: { keys: [] } }] }
routes: { orders: two-answers, catalogue-v1: one-answer, catalogue-v2: replies, health: [] }
`;

const requests = 3_000;

test(`${requests} requests one after another on each chain need one connection and lose nothing`, { timeout: 300_000 }, async () => {
  const stage = await startTestStage({ policies });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const [path, status, stamps] of [
      ["/v1/catalogue", 200, 0],
      ["/orders", 200, 1],
      ["/v2/catalogue", 401, 0],
      ["/health", 200, 0],
    ] as const) {
      for (let index = 0; index < requests; index++) {
        const answer = await send(stage.envoy.port, { path, agent });
        if (answer.status !== status || valuesOf(answer.headers, "x-stamp").length !== stamps) {
          expect([path, index, answer]).toEqual([path, index, `status ${status} and ${stamps} stamps`]);
        }
      }
    }
    const stats = await stage.envoy.stats("^(cluster.policy_engine.upstream_cx|http.ingress.downstream_cx_total|http.ingress.ext_proc)");
    expect(stats.get("http.ingress.downstream_cx_total")).toBe(1);
    expect(stats.get("cluster.policy_engine.upstream_cx_total")).toBe(1);
    expect(stats.get("cluster.policy_engine.upstream_cx_close_notify")).toBe(0);
    expect(stats.get("http.ingress.ext_proc.streams_started")).toBe(4 * requests);
    expect(stats.get("http.ingress.ext_proc.streams_failed")).toBe(0);
  } finally {
    agent.destroy();
    await stage.close();
  }
});
