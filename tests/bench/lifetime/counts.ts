/** What is counted beside the answers. */
import { readMetrics } from "../../support/admin.ts";
import type { LifetimeStage } from "./lifetime-stage.ts";

export interface Count {
  readonly name: string;
  readonly value: number;
  readonly expected: number;
}

/** @param expected how many exchanges should be open now */
export async function openCounts({ upstream, engine, envoy }: LifetimeStage, expected: number): Promise<readonly Count[]> {
  const active = "cluster.policy_engine.upstream_rq_active";
  const metric = await readMetrics(engine);
  return [
    { name: "open at once: held by the upstream", value: upstream.held(), expected },
    { name: "open at once: policy_engine_exchanges_open", value: metric("policy_engine_exchanges_open"), expected },
    { name: `open at once: ${active}`, value: (await envoy.stats(`^${active}$`)).get(active) ?? Number.NaN, expected },
  ];
}

/** What must not have happened, by Envoy's counters. */
const never = [
  "http.ingress.ext_proc.streams_failed",
  "http.ingress.ext_proc.message_timeouts",
  "http.ingress.ext_proc.spurious_msgs_received",
  "http.ingress.ext_proc.rejected_header_mutations",
  "cluster.policy_engine.upstream_rq_pending_overflow",
  "cluster.policy_engine.upstream_cx_overflow",
  "cluster.policy_engine.upstream_cx_pool_overflow",
  "cluster.policy_engine.upstream_rq_retry",
  "cluster.policy_engine.upstream_rq_timeout",
  "cluster.policy_engine.upstream_rq_rx_reset",
  "cluster.policy_engine.upstream_cx_connect_fail",
  // A GOAWAY.
  "cluster.policy_engine.upstream_cx_close_notify",
  "cluster.policy_engine.upstream_cx_destroy",
  "cluster.policy_engine.upstream_rq_active",
] as const;

/**
 * @param calls how many there were, how many of them were to reach the upstream, and how many streams Envoy should have reset: it resets each
 * that the engine has ended, or none. To be asked when nothing is open any more.
 */
export async function finalCounts(
  { upstream, five, engine, envoy }: LifetimeStage,
  calls: { readonly all: number; readonly reaching: number; readonly reset: number },
): Promise<readonly Count[]> {
  const stats = await envoy.stats("^(http.ingress.ext_proc|cluster.policy_engine)[.]");
  const metric = await readMetrics(engine);
  const stat = (name: string, expected: number): Count => ({ name, value: stats.get(name) ?? Number.NaN, expected });
  return [
    stat("http.ingress.ext_proc.streams_started", calls.all),
    stat("cluster.policy_engine.upstream_cx_total", 1),
    stat("cluster.policy_engine.upstream_rq_tx_reset", calls.reset),
    ...never.map((name) => stat(name, 0)),
    {
      name: 'policy_engine_exchanges_total{outcome="continued"}',
      value: metric('policy_engine_exchanges_total{outcome="continued"}'),
      expected: calls.reaching,
    },
    { name: "policy_engine_exchanges_open", value: metric("policy_engine_exchanges_open"), expected: 0 },
    { name: "policy_engine_generations_open", value: metric("policy_engine_generations_open"), expected: 1 },
    { name: "requests that reached the upstream", value: upstream.hits(), expected: calls.reaching },
    { name: "requests for the token issuer's keys", value: five.keySetRequests(), expected: 1 },
  ];
}
