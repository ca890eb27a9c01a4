import { type Collector, single } from "./metrics.ts";

/** Where records about exchanges leave the process. Whatever happens behind it, no exchange waits for it or fails because of it. */
export interface RecordSink<Item> {
  /** Takes a record. Returns at once and never throws; a record that finds no room is dropped. */
  write(item: Item): void;
  /** Sends what waits, for at most so many milliseconds; what is left then is dropped. Nothing may be written afterwards. */
  close(timeoutMs: number): Promise<void>;
  counts(): RecordCounts;
}

export interface RecordCounts {
  /** Records that have left, so far as the other side has said. */
  readonly written: number;
  /** Records that were lost, because there was no room or the other side did not take them. */
  readonly dropped: number;
  readonly waiting: number;
}

/** @param name `decisions` or `spans` */
export function recordCollector(name: string, sink: Pick<RecordSink<never>, "counts">): Collector {
  const labelled = (family: string, type: "counter" | "gauge", help: string, value: number) => ({
    ...single(family, type, help, value),
    samples: [{ labels: { sink: name }, value }],
  });
  return () => {
    const { written, dropped, waiting } = sink.counts();
    return [
      labelled("policy_engine_records_written_total", "counter", "Decisions and spans that have left the process.", written),
      labelled("policy_engine_records_dropped_total", "counter", "Decisions and spans that were lost.", dropped),
      labelled("policy_engine_records_waiting", "gauge", "Decisions and spans that wait to leave the process.", waiting),
    ];
  };
}
