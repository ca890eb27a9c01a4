import { type HttpHeaders, ProcessingRequest } from "../../generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { HeaderEntry } from "../../worker/header-store.ts";

/** The six moments of an exchange at which Envoy may ask. */
export type Phase = "request-headers" | "request-body" | "request-trailers" | "response-headers" | "response-body" | "response-trailers";

/** One message from Envoy, as far as the kernel reads it. */
export interface Incoming {
  /** `unknown`: a message without a known phase, as newer Envoys may send. It is not to be answered. */
  readonly phase: Phase | "unknown";
  /** Header lines of a headers phase; empty otherwise. */
  readonly headers: readonly HeaderEntry[];
  /**
   * Envoy's attributes by name. Undefined when the message carries no entry: Envoy sends one with the first message of each direction if
   * `request_attributes` is configured, even if none of them has a value.
   */
  readonly attributes: ReadonlyMap<string, AttributeValue> | undefined;
  /** Envoy does not wait for an answer and takes none (`observability_mode`). */
  readonly observed: boolean;
}

export type AttributeValue = string | number | boolean;

/** Envoy's constant for the only entry of the attributes, whatever the filter is called. */
const attributesEntry = "envoy.filters.http.ext_proc";

/** Reads a ProcessingRequest. Throws when the bytes are no such message. */
export function decodeIncoming(bytes: Uint8Array): Incoming {
  const message = ProcessingRequest.decode(bytes);
  const { request } = message;
  const attributes = readAttributes(message.attributes);
  const observed = message.observabilityMode === true;
  switch (request?.$case) {
    case "requestHeaders":
      return { phase: "request-headers", headers: readHeaders(request.value), attributes, observed };
    case "responseHeaders":
      return { phase: "response-headers", headers: readHeaders(request.value), attributes, observed };
    case "requestBody":
      return { phase: "request-body", headers: [], attributes, observed };
    case "responseBody":
      return { phase: "response-body", headers: [], attributes, observed };
    case "requestTrailers":
      return { phase: "request-trailers", headers: [], attributes, observed };
    case "responseTrailers":
      return { phase: "response-trailers", headers: [], attributes, observed };
    case undefined:
      return { phase: "unknown", headers: [], attributes, observed };
    default:
      return request satisfies never;
  }
}

function readHeaders(message: HttpHeaders): readonly HeaderEntry[] {
  const entries: HeaderEntry[] = [];
  for (const { key, value, rawValue } of message.headers?.headers ?? []) {
    if (key === undefined || key === "") continue;
    // Envoy fills `raw_value` only; other clients of the protocol fill `value`.
    entries.push({ name: key.toLowerCase(), value: rawValue ?? Buffer.from(value ?? "", "utf8") });
  }
  return entries;
}

function readAttributes(entries: ProcessingRequest["attributes"]): ReadonlyMap<string, AttributeValue> | undefined {
  // An entry called `__proto__` must not supply what is missing.
  const struct = entries !== undefined && Object.hasOwn(entries, attributesEntry) ? entries[attributesEntry] : undefined;
  if (struct === undefined) return undefined;
  const attributes = new Map<string, AttributeValue>();
  for (const [name, value] of Object.entries(struct)) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") attributes.set(name, value);
  }
  return attributes;
}
