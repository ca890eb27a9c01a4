import { type CutOff, type CutOffReason, cutOffReasons } from "../kernel/transport.ts";
import type { Log } from "../observe/log.ts";
import type { Collector } from "../observe/metrics.ts";

export interface CutOffs {
  add(event: CutOff): void;
  readonly families: Collector;
}

/** Connections that were ended because of what their peers did: all counted, and logged so seldom that nobody can fill the log with them. */
export function createCutOffs(log: Pick<Log, "warn">, monotonicMs: () => number): CutOffs {
  const counts: Record<CutOffReason, number> = { bound: 0, slow: 0, protocol: 0, connections: 0, tls: 0 };
  const loggedAtMs = new Map<CutOffReason, number>();
  return {
    add({ reason, detail }) {
      counts[reason] += 1;
      const nowMs = monotonicMs();
      if (nowMs - (loggedAtMs.get(reason) ?? Number.NEGATIVE_INFINITY) < logEveryMs) return;
      loggedAtMs.set(reason, nowMs);
      log.warn({ reason, detail, count: counts[reason] }, "a connection was ended because of what its peer did");
    },
    families: () => [
      {
        name: "policy_engine_connections_cut_off_total",
        help: "Connections of the native transport that were ended because of what their peers did, by reason.",
        type: "counter",
        samples: cutOffReasons.map((reason) => ({ labels: { reason }, value: counts[reason] })),
      },
    ],
  };
}

/** For each reason, ms. */
const logEveryMs = 60_000;
