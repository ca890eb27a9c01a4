/** Reads what Envoy sends, where it lies: the bytes are not copied, and must not change as long as what is returned is in use. */
import { Buffer } from "node:buffer";
import { ProcessingMode_BodySendMode as EnvoyMode } from "../../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { noHeaders, type ReceivedHeaders } from "../../worker/received-headers.ts";
import type { BodyMode } from "../body-mode.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import { type Attributes, readAttributes } from "./wire-attributes.ts";
import { WireHeaders } from "./wire-headers.ts";

/** The six moments of an exchange at which Envoy may ask. */
export type Phase = "request-headers" | "request-body" | "request-trailers" | "response-headers" | "response-body" | "response-trailers";

/** One message from Envoy, as far as the kernel reads it. */
export interface Incoming {
  /** `unknown`: a message without a known phase, as newer Envoys may send. It is not to be answered. */
  readonly phase: Phase | "unknown";
  /** The lines of a headers or a trailers phase; empty otherwise. */
  readonly headers: ReceivedHeaders;
  /**
   * Envoy's attributes by name. Undefined when the message carries no entry: Envoy sends one with the first message of each direction if
   * `request_attributes` is configured, even if none of them has a value.
   */
  readonly attributes: Attributes | undefined;
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

/** The tags of ProcessingRequest 1.36 that are read. */
const tags = {
  requestHeaders: 0x12,
  responseHeaders: 0x1a,
  requestBody: 0x22,
  responseBody: 0x2a,
  requestTrailers: 0x32,
  responseTrailers: 0x3a,
  attributes: 0x4a,
  observabilityMode: 0x50,
  protocolConfig: 0x5a,
} as const;
/** HttpHeaders.headers and HttpTrailers.trailers; HttpHeaders.end_of_stream; HttpBody.body and .end_of_stream. */
const linesTag = 0x0a;
const headersEndTag = 0x18;
const bodyTag = 0x0a;
const bodyEndTag = 0x10;
/** ProtocolConfiguration.request_body_mode and .response_body_mode. */
const configTags = { request: 0x08, response: 0x10 } as const;

/** Reads a ProcessingRequest. Throws a `RangeError` when the bytes are no such message. */
export function decodeIncoming(bytes: Uint8Array): Incoming {
  const reader = new ProtobufReader(asBuffer(bytes));
  let message = noMessage;
  let attributes: Attributes | undefined;
  let observed = false;
  let configured: ConfiguredBodies | undefined;
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case tags.requestHeaders:
        message = readHeaders("request-headers", reader.message());
        break;
      case tags.responseHeaders:
        message = readHeaders("response-headers", reader.message());
        break;
      case tags.requestBody:
        message = readBody("request-body", reader.message());
        break;
      case tags.responseBody:
        message = readBody("response-body", reader.message());
        break;
      case tags.requestTrailers:
        message = readTrailers("request-trailers", reader.message());
        break;
      case tags.responseTrailers:
        message = readTrailers("response-trailers", reader.message());
        break;
      case tags.attributes:
        attributes = readAttributes(reader.message()) ?? attributes;
        break;
      case tags.observabilityMode:
        observed = reader.bool();
        break;
      case tags.protocolConfig:
        configured = readConfigured(reader.message());
        break;
      default:
        reader.skip(tag);
    }
  }
  const { phase, headers, body, endOfStream } = message;
  return { phase, headers, attributes, body, endOfStream, configured, observed };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What belongs to one phase. */
type Message = Pick<Incoming, "phase" | "headers" | "body" | "endOfStream">;

const noBytes = new Uint8Array();
const noMessage: Message = { phase: "unknown", headers: noHeaders, body: noBytes, endOfStream: false };

function readHeaders(phase: Phase, reader: ProtobufReader): Message {
  let headers: ReceivedHeaders = noHeaders;
  let endOfStream = false;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === linesTag) headers = new WireHeaders(reader.bytes, reader.message());
    else if (tag === headersEndTag) endOfStream = reader.bool();
    else reader.skip(tag);
  }
  return { phase, headers, body: noBytes, endOfStream };
}

function readBody(phase: Phase, reader: ProtobufReader): Message {
  let body: Uint8Array = noBytes;
  let endOfStream = false;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === bodyTag) body = reader.slice();
    else if (tag === bodyEndTag) endOfStream = reader.bool();
    else reader.skip(tag);
  }
  return { phase, headers: noHeaders, body, endOfStream };
}

/** HttpTrailers has the lines where HttpHeaders has them. */
function readTrailers(phase: Phase, reader: ProtobufReader): Message {
  const { headers } = readHeaders(phase, reader);
  return { phase, headers, body: noBytes, endOfStream: true };
}

function readConfigured(reader: ProtobufReader): ConfiguredBodies {
  let request: number = EnvoyMode.NONE;
  let response: number = EnvoyMode.NONE;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === configTags.request) request = reader.varint();
    else if (tag === configTags.response) response = reader.varint();
    else reader.skip(tag);
  }
  return { request: configuredBody(request), response: configuredBody(response) };
}

function configuredBody(mode: number): ConfiguredBody {
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
