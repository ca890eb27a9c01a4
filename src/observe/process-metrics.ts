import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { collectGcPauses } from "./gc-metrics.ts";
import { type Collector, single } from "./metrics.ts";

/** Memory, processor time, pauses and event-loop lag of this process. `stop` ends the lag's timer. */
export function collectProcess(): { readonly collect: Collector; stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: lagResolutionMs });
  delay.enable();
  const gcPauses = collectGcPauses();
  return {
    collect: () => {
      const { user, system } = process.cpuUsage();
      const { rss, heapUsed } = process.memoryUsage();
      const lag = [0.5, 0.99, 1].map((quantile) => ({ quantile, seconds: lagSeconds(delay.percentile(quantile * 100)) }));
      // Since the last scrape: over the whole life of the process a bad minute would not be seen any more.
      delay.reset();
      return [
        single(
          "process_start_time_seconds",
          "gauge",
          "When the process started, in seconds since the epoch.",
          performance.timeOrigin / 1000,
        ),
        single("process_cpu_seconds_total", "counter", "User and system processor time spent, in seconds.", (user + system) / 1e6),
        single("process_resident_memory_bytes", "gauge", "Resident memory.", rss),
        single("nodejs_heap_used_bytes", "gauge", "Heap in use.", heapUsed),
        single("nodejs_heap_limit_bytes", "gauge", "Where the heap ends, and the process with it.", getHeapStatistics().heap_size_limit),
        single(
          "nodejs_eventloop_active_seconds_total",
          "counter",
          "Time that the event loop has not been waiting, in seconds; a rise by 1 a second is a process that does nothing but compute.",
          performance.eventLoopUtilization().active / 1000,
        ),
        ...gcPauses.collect(),
        {
          name: "nodejs_eventloop_lag_seconds",
          help: "How late timers were since the last scrape, by quantile; 1 is the worst.",
          type: "gauge",
          samples: lag.map(({ quantile, seconds }) => ({ labels: { quantile: String(quantile) }, value: seconds })),
        },
      ];
    },
    stop() {
      delay.disable();
      gcPauses.stop();
    },
  };
}

/**
 * What is in use, for telling processes of different releases apart.
 *
 * @param distribution what a build has made, and from what; undefined in a checkout
 */
export function buildInfoCollector(version: string, distribution?: Distribution): Collector {
  const built: Readonly<Record<string, string>> =
    distribution === undefined
      ? {}
      : {
          distribution: distribution.name,
          distribution_version: distribution.version,
          lock: distribution.lockHash,
          commit: distribution.sourceCommit ?? "",
        };
  const sample = { labels: { version, node: process.versions.node, ...built }, value: 1 };
  return () => [{ name: "policy_engine_build_info", help: "1; the labels say what is running.", type: "gauge", samples: [sample] }];
}

interface Distribution {
  readonly name: string;
  readonly version: string;
  readonly lockHash: string;
  readonly sourceCommit?: string | undefined;
}

const lagResolutionMs = 20;

/** What Node records is the time from one timer to the next, lag and the timer's own interval together. */
function lagSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - lagResolutionMs / 1000);
}
