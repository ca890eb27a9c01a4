/**
 * Clients that leave in the middle of a request. With `ext_proc_graceful_grpc_close` they end Envoy 1.36.2 with a segmentation fault, so
 * what is shipped must leave that flag alone.
 */
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { expect, test } from "vitest";
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

const statuses = { "/orders": 200, "/v1/catalogue": 200, "/v2/catalogue": 401, "/health": 200 } as const;
const paths = Object.keys(statuses);

// Envoy closes a connection of 500 streams when most of them were reset early; these stay below it.
const roundsPerConnection = 40;
const abortsPerRound = 10;
const connectionsPerPath = 4;
const aborts = paths.length * connectionsPerPath * roundsPerConnection * abortsPerRound;

test(`${aborts} HTTP/2 requests that are aborted leave Envoy and the engine as they were`, async () => {
  const stage = await startTestStage({ policies });
  try {
    for (let nth = 0; nth < connectionsPerPath; nth++) await Promise.all(paths.map((path) => abortMany(stage.envoy.port, path)));
    expect({ envoy: stage.envoy.process.running(), engine: stage.engine.process.running() }).toEqual({ envoy: true, engine: true });
    const stats = await stage.envoy.stats("^(http.ingress.downstream_rq_rx_reset|cluster.policy_engine.upstream_cx_total)$");
    expect(stats.get("http.ingress.downstream_rq_rx_reset")).toBeGreaterThan(aborts / 4);
    expect(stats.get("cluster.policy_engine.upstream_cx_total")).toBe(1);
    const open = "cluster.policy_engine.upstream_rq_active";
    await expect.poll(async () => (await stage.envoy.stats(`^${open}$`)).get(open), { timeout: 5_000 }).toBe(0);
    for (const [path, status] of Object.entries(statuses)) {
      expect([path, (await send(stage.envoy.port, { path })).status]).toEqual([path, status]);
    }
  } finally {
    await stage.close();
  }
});

/** Ends early when Envoy is gone: whether it is gone is asked afterwards. */
async function abortMany(port: number, path: string): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  await new Promise((resolve) => session.once("connect", resolve).once("close", resolve));
  for (let round = 0; round < roundsPerConnection && !session.destroyed; round++) {
    await Promise.all(Array.from({ length: abortsPerRound }, (_, index) => abortOne(session, path, (index * 4) / abortsPerRound)));
  }
  session.destroy();
}

function abortOne(session: ClientHttp2Session, path: string, afterMs: number): Promise<void> {
  return new Promise((resolve) => {
    const request = session.request({ ":path": path });
    const timer = setTimeout(() => request.close(constants.NGHTTP2_CANCEL), afterMs);
    request.on("error", () => {});
    request.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    request.resume();
  });
}
