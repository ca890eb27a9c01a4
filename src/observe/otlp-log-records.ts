import { type Attributes, keyValues, type Resource, resourceOf, scope, unixNano } from "./otlp-values.ts";

export interface LogRecord {
  /** When it happened, and when it was written down, milliseconds since the epoch. */
  readonly timeMs: number;
  readonly observedMs: number;
  readonly severity: "info" | "error";
  readonly body: string;
  readonly attributes: Attributes;
  /** Of the trace that it belongs to. */
  readonly trace: { readonly traceId: string; readonly spanId: string } | undefined;
}

/** The body of `POST /v1/logs`: an ExportLogsServiceRequest (opentelemetry/proto/collector/logs/v1). */
export function encodeLogRecords(resource: Resource, records: readonly LogRecord[]): string {
  return JSON.stringify({ resourceLogs: [{ resource: resourceOf(resource), scopeLogs: [{ scope, logRecords: records.map(recordOf) }] }] });
}

function recordOf({ timeMs, observedMs, severity, body, attributes, trace }: LogRecord) {
  return {
    timeUnixNano: unixNano(timeMs),
    observedTimeUnixNano: unixNano(observedMs),
    severityNumber: severity === "error" ? severityError : severityInfo,
    severityText: severity.toUpperCase(),
    body: { stringValue: body },
    attributes: keyValues(attributes),
    ...trace,
  };
}

const severityInfo = 9;
const severityError = 17;
