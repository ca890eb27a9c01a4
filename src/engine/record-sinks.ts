/** What stands behind `decisionLog.to` and `traces.to` of the settings. */
import { hostname } from "node:os";
import type { OtlpTarget, RecordTarget } from "../config/record-settings.ts";
import { createLineFile } from "../observe/line-file.ts";
import type { Log } from "../observe/log.ts";
import { createOtlpExporter, type OtlpAnswer } from "../observe/otlp-exporter.ts";
import { encodeLogRecords, type LogRecord } from "../observe/otlp-log-records.ts";
import { encodeSpans, type Span } from "../observe/otlp-spans.ts";
import type { Resource } from "../observe/otlp-values.ts";
import type { RecordSink } from "../observe/record-sink.ts";
import { version } from "../version.ts";
import type { DecisionRecord } from "./decision-record.ts";
import { exchangeSpanId } from "./exchange-traces.ts";
import { outgoingFetch } from "./outgoing-fetch.ts";

export function decisionSink(target: RecordTarget, log: Log): RecordSink<DecisionRecord> {
  switch (target.kind) {
    case "stdout":
      return lines(besideLog(log));
    case "file":
      return lines(
        createLineFile(target.path, {
          waitingBytesMax,
          failed: (error) => log.warn({ path: target.path, err: error }, "decisions cannot be written: they wait, then they are dropped"),
        }),
      );
    case "otlp": {
      const sink = exporter<LogRecord>(target, "logs", encodeLogRecords, log);
      return { ...sink, write: (record) => sink.write(logRecord(record)) };
    }
    default:
      return target satisfies never;
  }
}

export function spanSink(target: OtlpTarget, log: Log): RecordSink<Span> {
  return exporter(target, "traces", encodeSpans, log);
}

const waitingBytesMax = 8 * 1024 * 1024;
const waitingRecordsMax = 8_192;
const delayMs = 1_000;

function lines(sink: RecordSink<string>): RecordSink<DecisionRecord> {
  return { ...sink, write: (record) => sink.write(`${JSON.stringify(record)}\n`) };
}

/** Standard output belongs to the log, which counts what it drops itself. */
function besideLog(log: Log): RecordSink<string> {
  let written = 0;
  return {
    write(line) {
      log.beside(line);
      written += 1;
    },
    close: async () => log.flush(),
    counts: () => ({ written, dropped: 0, waiting: 0 }),
  };
}

function exporter<Item>(
  { url }: OtlpTarget,
  signal: "logs" | "traces",
  encode: (resource: Resource, items: readonly Item[]) => string,
  log: Log,
): RecordSink<Item> {
  const resource = { serviceName: "envoy-policy-engine", serviceVersion: version, serviceInstanceId: `${hostname()}:${process.pid}` };
  return createOtlpExporter({
    encode: (items) => encode(resource, items),
    post: (body, abort) => post(`${url}/v1/${signal}`, body, abort),
    failed: (error) => log.warn({ collector: url, signal, err: error }, "the collector takes nothing: records wait, then they are dropped"),
    waitingMax: waitingRecordsMax,
    delayMs,
  });
}

async function post(url: string, body: string, signal: AbortSignal): Promise<OtlpAnswer> {
  const response = await outgoingFetch(url, { method: "POST", headers: { "content-type": "application/json" }, body, signal });
  return { status: response.status, body: await response.text() };
}

function logRecord(record: DecisionRecord): LogRecord {
  const { id, time, route, chain, generation, outcome, status, code, step, traceId } = record;
  const isFault = outcome === "broken" || (outcome === "refused" && (status ?? 0) >= 500);
  return {
    timeMs: Date.parse(time),
    observedMs: Date.now(),
    severity: isFault ? "error" : "info",
    body: JSON.stringify(record),
    attributes: {
      "policy_engine.decision_id": id,
      "policy_engine.route": route,
      "policy_engine.chain": chain,
      "policy_engine.generation": generation,
      "policy_engine.outcome": outcome,
      "policy_engine.code": code,
      "policy_engine.step": step,
      "http.response.status_code": status,
    },
    trace: traceId === undefined ? undefined : { traceId, spanId: exchangeSpanId(id) },
  };
}
