import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Collector, single } from "./metrics.ts";

/** Memory, processor time and event-loop lag of this process. `stop` ends the lag's timer. */
export function collectProcess(): { readonly collect: Collector; stop(): void } {
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  return {
    collect: () => {
      const { user, system } = process.cpuUsage();
      const { rss, heapUsed } = process.memoryUsage();
      return [
        single("process_cpu_seconds_total", "counter", "User and system processor time spent, in seconds.", (user + system) / 1e6),
        single("process_resident_memory_bytes", "gauge", "Resident memory.", rss),
        single("nodejs_heap_used_bytes", "gauge", "Heap in use.", heapUsed),
        {
          name: "nodejs_eventloop_lag_seconds",
          help: "How late timers were, since the start, by quantile.",
          type: "gauge",
          samples: [50, 99].map((percent) => ({ labels: { quantile: String(percent / 100) }, value: lag.percentile(percent) / 1e9 })),
        },
      ];
    },
    stop: () => lag.disable(),
  };
}
