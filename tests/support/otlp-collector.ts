/** Takes OTLP/HTTP with JSON as a collector does, and is strict: what the protocol's messages do not have is refused with 400. */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { Ajv2020 } from "ajv/dist/2020.js";
import { listen } from "./listen.ts";

export interface OtlpCollector {
  readonly origin: string;
  readonly spans: readonly ReceivedSpan[];
  readonly logRecords: readonly ReceivedLogRecord[];
  /** What was refused, and why. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly ReceivedAttribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface ReceivedLogRecord {
  readonly body: { readonly stringValue: string };
  readonly severityText: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly attributes: readonly ReceivedAttribute[];
}

interface ReceivedAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: ReceivedSpan[] = [];
  const logRecords: ReceivedLogRecord[] = [];
  const faults: string[] = [];
  const server = createServer(async (request, response) => {
    const body: unknown = JSON.parse(await text(request));
    const message = messages[request.url ?? ""];
    if (request.method !== "POST" || request.headers["content-type"] !== "application/json" || message?.(body) !== true) {
      faults.push(`${request.method} ${request.url} ${JSON.stringify(message?.errors)} ${JSON.stringify(body).slice(0, 500)}`);
      response.writeHead(400).end();
      return;
    }
    const { resourceSpans = [], resourceLogs = [] } = Object(body);
    for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
    for (const { scopeLogs } of resourceLogs) for (const scope of scopeLogs) logRecords.push(...scope.logRecords);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const { origin, close } = await listen(server);
  return { origin, spans, logRecords, faults, close };
}

/** Values of attributes by their keys. */
export function attributesOf({ attributes }: { readonly attributes: readonly ReceivedAttribute[] }): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

// The JSON of opentelemetry-proto 1.x: trace/v1/trace.proto, logs/v1/logs.proto, common/v1/common.proto, as the OTLP specification maps it.
const strict = (properties: Record<string, unknown>, required: readonly string[] = []) => ({
  type: "object",
  additionalProperties: false,
  required,
  properties,
});
const string = { type: "string" };
const hexadecimal = (digits: number) => ({ type: "string", pattern: `^(?!0+$)[\\da-f]{${digits}}$` });
const fixed64 = { type: "string", pattern: "^\\d{1,20}$" };
const anyValue = {
  type: "object",
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
  properties: {
    stringValue: string,
    boolValue: { type: "boolean" },
    intValue: { type: "string", pattern: "^-?\\d+$" },
    doubleValue: { type: "number" },
  },
};
const attributes = { type: "array", items: strict({ key: { type: "string", minLength: 1 }, value: anyValue }, ["key", "value"]) };
const envelope = (all: string, scoped: string, items: string, item: object) =>
  strict(
    {
      [all]: {
        type: "array",
        items: strict({
          resource: strict({ attributes }),
          [scoped]: {
            type: "array",
            items: strict({ scope: strict({ name: string, version: string }), [items]: { type: "array", items: item } }),
          },
        }),
      },
    },
    [all],
  );
const span = strict(
  {
    traceId: hexadecimal(32),
    spanId: hexadecimal(16),
    parentSpanId: hexadecimal(16),
    name: { type: "string", minLength: 1 },
    kind: { type: "integer", minimum: 1, maximum: 5 },
    startTimeUnixNano: fixed64,
    endTimeUnixNano: fixed64,
    attributes,
    status: strict({ code: { type: "integer", minimum: 0, maximum: 2 }, message: string }),
  },
  ["traceId", "spanId", "name", "startTimeUnixNano", "endTimeUnixNano"],
);
const logRecord = strict({
  timeUnixNano: fixed64,
  observedTimeUnixNano: fixed64,
  severityNumber: { type: "integer", minimum: 1, maximum: 24 },
  severityText: string,
  body: anyValue,
  attributes,
  traceId: hexadecimal(32),
  spanId: hexadecimal(16),
});
const ajv = new Ajv2020({ allErrors: true });
const messages: Readonly<Record<string, ReturnType<typeof ajv.compile>>> = {
  "/v1/traces": ajv.compile(envelope("resourceSpans", "scopeSpans", "spans", span)),
  "/v1/logs": ajv.compile(envelope("resourceLogs", "scopeLogs", "logRecords", logRecord)),
};
