/** What the settings want written about exchanges: decisions, spans, both or neither. */
import type { Settings } from "../config/settings.ts";
import type { EndedEvent } from "../kernel/kernel-host.ts";
import type { Log } from "../observe/log.ts";
import type { Collector } from "../observe/metrics.ts";
import { recordCollector } from "../observe/record-sink.ts";
import type { StepFailure } from "../worker/run-host.ts";
import { createDecisionLog } from "./decision-log.ts";
import { createExchangeTraces, type ExchangeTraces } from "./exchange-traces.ts";
import { decisionSink, spanSink } from "./record-sinks.ts";

export interface ExchangeRecords {
  readonly hostFor: ExchangeTraces["hostFor"];
  failed(failure: StepFailure): void;
  ended(event: EndedEvent): void;
  readonly collectors: readonly Collector[];
  /** Sends what waits, for at most so many milliseconds. */
  close(timeoutMs: number): Promise<void>;
}

/** @param redact removes secret values from what policies and clients have written */
export function createExchangeRecords(
  settings: Pick<Settings, "decisionLog" | "traces">,
  log: Log,
  redact: (text: string) => string,
): ExchangeRecords {
  const decisions = settings.decisionLog && decisionSink(settings.decisionLog.to, log);
  const spans = settings.traces && spanSink(settings.traces.to, log);
  const decisionLog =
    settings.decisionLog && decisions && createDecisionLog({ settings: settings.decisionLog, sink: decisions, now: Date.now, redact });
  const traces = spans && createExchangeTraces(spans);
  return {
    hostFor: traces?.hostFor ?? ((_chain, _request, _metadata, host) => host),
    failed: (failure) => decisionLog?.failed(failure),
    ended(event) {
      decisionLog?.ended(event);
      traces?.ended(event);
    },
    collectors: [...(decisions ? [recordCollector("decisions", decisions)] : []), ...(spans ? [recordCollector("spans", spans)] : [])],
    close: async (timeoutMs) => {
      await Promise.all([decisions?.close(timeoutMs), spans?.close(timeoutMs)]);
    },
  };
}
