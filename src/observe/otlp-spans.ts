import { type Attributes, keyValues, type Resource, resourceOf, scope, unixNano } from "./otlp-values.ts";

export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** `server`: it answers somebody else's question. */
  readonly kind: "server" | "internal";
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes: Attributes;
  /** What went wrong, in a word; undefined when nothing did. */
  readonly error: string | undefined;
}

/** The body of `POST /v1/traces`: an ExportTraceServiceRequest (opentelemetry/proto/collector/trace/v1). */
export function encodeSpans(resource: Resource, spans: readonly Span[]): string {
  return JSON.stringify({ resourceSpans: [{ resource: resourceOf(resource), scopeSpans: [{ scope, spans: spans.map(spanOf) }] }] });
}

function spanOf({ traceId, spanId, parentSpanId, name, kind, startMs, durationMs, attributes, error }: Span) {
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind: kind === "server" ? spanKindServer : spanKindInternal,
    startTimeUnixNano: unixNano(startMs),
    endTimeUnixNano: unixNano(startMs + durationMs),
    attributes: keyValues(attributes),
    status: error === undefined ? {} : { code: statusCodeError, message: error },
  };
}

const spanKindInternal = 1;
const spanKindServer = 2;
const statusCodeError = 2;
