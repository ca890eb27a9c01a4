/** What ended exchanges leave for machines: counts always, decisions and spans where the settings want them. */
import type { Settings } from "../config/settings.ts";
import { failureCatalogue } from "../errors.ts";
import { exchangeEnds } from "../kernel/exchange-counters.ts";
import type { EndedEvent } from "../kernel/kernel-host.ts";
import { createFailureCounters } from "../observe/failure-counters.ts";
import type { Log } from "../observe/log.ts";
import type { Collector } from "../observe/metrics.ts";
import { recordCollector } from "../observe/record-sink.ts";
import { createRouteCounters, type InUse } from "../observe/route-counters.ts";
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

export interface RecordsParts {
  readonly settings: Pick<Settings, "decisionLog" | "traces">;
  readonly log: Log;
  /** The generation in use. */
  readonly current: () => InUse | undefined;
  /** Removes the secrets that the engine has read. */
  readonly redact: (text: string) => string;
}

export function createExchangeRecords({ settings, log, current, redact }: RecordsParts): ExchangeRecords {
  const routes = createRouteCounters(exchangeEnds, current);
  const failures = createFailureCounters(Object.keys(failureCatalogue));
  const decisions = settings.decisionLog && decisionSink(settings.decisionLog.to, log);
  const spans = settings.traces && spanSink(settings.traces.to, log);
  const decisionLog =
    settings.decisionLog && decisions && createDecisionLog({ settings: settings.decisionLog, sink: decisions, now: Date.now, redact });
  const traces = spans && createExchangeTraces(spans);
  return {
    hostFor: traces?.hostFor ?? ((_chain, _request, _metadata, host) => host),
    failed: (failure) => decisionLog?.failed(failure),
    ended(event) {
      const { request, chain, end, reply } = event;
      routes.count(request?.route.name ?? "", chain, end);
      if (end === "body-not-sent") failures.count(end);
      else if (reply !== undefined && reply.step === undefined) failures.count(reply.code);
      decisionLog?.ended(event);
      traces?.ended(event);
    },
    collectors: [
      routes.families,
      failures.families,
      ...(decisions ? [recordCollector("decisions", decisions)] : []),
      ...(spans ? [recordCollector("spans", spans)] : []),
    ],
    close: async (timeoutMs) => {
      await Promise.all([decisions?.close(timeoutMs), spans?.close(timeoutMs)]);
    },
  };
}
