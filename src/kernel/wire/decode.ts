import type { HeaderMap } from "../../generated/proto/envoy/config/core/v3/base.ts";
import { ProcessingMode_BodySendMode as EnvoyMode } from "../../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { type HttpBody, ProcessingRequest } from "../../generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { HeaderEntry } from "../../worker/header-store.ts";
import type { BodyMode } from "../body-mode.ts";

/** The six moments of an exchange at which Envoy may ask. */
export type Phase = "request-headers" | "request-body" | "request-trailers" | "response-headers" | "response-body" | "response-trailers";

/** One message from Envoy, as far as the kernel reads it. */
export interface Incoming {
  /** `unknown`: a message without a known phase, as newer Envoys may send. It is not to be answered. */
  readonly phase: Phase | "unknown";
  /** The lines of a headers or a trailers phase; empty otherwise. */
  readonly headers: readonly HeaderEntry[];
  /**
   * Envoy's attributes by name. Undefined when the message carries no entry: Envoy sends one with the first message of each direction if
   * `request_attributes` is configured, even if none of them has a value.
   */
  readonly attributes: ReadonlyMap<string, AttributeValue> | undefined;
  /** The bytes of a body phase; empty otherwise. */
  readonly body: Uint8Array;
  /** Nothing follows in this direction: neither body nor trailers. */
  readonly endOfStream: boolean;
  /** Which bodies Envoy's own configuration sends, and how; only with the first message. */
  readonly configured: ConfiguredBodies | undefined;
  /** Envoy does not wait for an answer and takes none (`observability_mode`). */
  readonly observed: boolean;
}

/** What Envoy sends of the bodies without being asked (`protocol_config`). */
export interface ConfiguredBodies {
  readonly request: ConfiguredBody;
  readonly response: ConfiguredBody;
}

/** `pieces`: STREAMED or BUFFERED_PARTIAL, which the engine does not work with. */
export type ConfiguredBody = BodyMode | "pieces";

export type AttributeValue = string | number | boolean;

/** Envoy's constant for the only entry of the attributes, whatever the filter is called. */
const attributesEntry = "envoy.filters.http.ext_proc";

/** Reads a ProcessingRequest. Throws when the bytes are no such message. */
export function decodeIncoming(bytes: Uint8Array): Incoming {
  const message = ProcessingRequest.decode(bytes);
  const { request, protocolConfig } = message;
  const common = {
    headers: [],
    body: noBytes,
    endOfStream: false,
    attributes: readAttributes(message.attributes),
    observed: message.observabilityMode === true,
    configured: protocolConfig && {
      request: configuredBody(protocolConfig.requestBodyMode),
      response: configuredBody(protocolConfig.responseBodyMode),
    },
  };
  switch (request?.$case) {
    case "requestHeaders":
      return {
        ...common,
        phase: "request-headers",
        headers: readLines(request.value.headers),
        endOfStream: request.value.endOfStream === true,
      };
    case "responseHeaders":
      return {
        ...common,
        phase: "response-headers",
        headers: readLines(request.value.headers),
        endOfStream: request.value.endOfStream === true,
      };
    case "requestBody":
      return { ...common, phase: "request-body", ...readBody(request.value) };
    case "responseBody":
      return { ...common, phase: "response-body", ...readBody(request.value) };
    case "requestTrailers":
      return { ...common, phase: "request-trailers", headers: readLines(request.value.trailers), endOfStream: true };
    case "responseTrailers":
      return { ...common, phase: "response-trailers", headers: readLines(request.value.trailers), endOfStream: true };
    case undefined:
      return { ...common, phase: "unknown" };
    default:
      return request satisfies never;
  }
}

const noBytes = new Uint8Array();

function configuredBody(mode: EnvoyMode = EnvoyMode.NONE): ConfiguredBody {
  switch (mode) {
    case EnvoyMode.NONE:
      return "none";
    case EnvoyMode.BUFFERED:
      return "buffered";
    case EnvoyMode.FULL_DUPLEX_STREAMED:
      return "full-duplex-streamed";
    default:
      return "pieces";
  }
}

function readBody({ body = noBytes, endOfStream = false }: HttpBody): { readonly body: Uint8Array; readonly endOfStream: boolean } {
  return { body, endOfStream };
}

function readLines(map: HeaderMap | undefined): readonly HeaderEntry[] {
  const entries: HeaderEntry[] = [];
  for (const { key, value, rawValue } of map?.headers ?? []) {
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
