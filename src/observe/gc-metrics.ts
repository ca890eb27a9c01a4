import { constants, PerformanceObserver } from "node:perf_hooks";
import type { HistogramSeries, MetricFamily } from "./metrics.ts";

/**
 * Pauses of the garbage collector, by its kind. Watched from the first time that somebody asks, and not at all where nobody does: Node makes an
 * object for each pause.
 */
export function collectGcPauses(): { collect(): readonly MetricFamily[]; stop(): void } {
  const series = new Map(Object.values(kinds).map((kind) => [kind, emptySeries(kind)]));
  let observer: PerformanceObserver | undefined;

  const watch = (): void => {
    observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const found = series.get(kinds[kindNumber(entry)] ?? "other");
        if (found !== undefined) add(found, entry.duration / 1000);
      }
    });
    observer.observe({ entryTypes: ["gc"] });
  };

  return {
    collect() {
      if (observer === undefined) watch();
      const help = "Pauses of the garbage collector since the metrics were first read, by kind.";
      return [{ name: "nodejs_gc_pause_seconds", help, type: "histogram", bounds: boundsSeconds, series: [...series.values()] }];
    },
    stop: () => observer?.disconnect(),
  };
}

interface Pauses extends HistogramSeries {
  readonly buckets: number[];
  sum: number;
}

const boundsSeconds: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1];

const kinds: Readonly<Record<number, string>> = {
  0: "other",
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weak-callbacks",
};

function emptySeries(kind: string): Pauses {
  return { labels: { kind }, buckets: Array.from({ length: boundsSeconds.length + 1 }, () => 0), sum: 0 };
}

/** Node's own types say nothing of it. */
function kindNumber(entry: object): number {
  const detail: unknown = Reflect.get(entry, "detail");
  const kind: unknown = typeof detail === "object" && detail !== null ? Reflect.get(detail, "kind") : undefined;
  return typeof kind === "number" ? kind : 0;
}

function add(pauses: Pauses, seconds: number): void {
  const bucket = boundsSeconds.findIndex((bound) => seconds <= bound);
  const at = bucket === -1 ? boundsSeconds.length : bucket;
  pauses.buckets[at] = (pauses.buckets[at] ?? 0) + 1;
  pauses.sum += seconds;
}
