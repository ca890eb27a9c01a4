/** Writes what Envoy is told: each answer into one buffer, the empty ones are constants. */
import { Buffer } from "node:buffer";
import { HeaderValueOption_HeaderAppendAction as AppendAction } from "../../generated/proto/envoy/config/core/v3/base.ts";
import {
  ProcessingMode_BodySendMode as EnvoyMode,
  ProcessingMode_HeaderSendMode as HeaderMode,
} from "../../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { ProcessingResponse } from "../../generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { HeaderChanges } from "../../worker/header-store.ts";
import type { FinalReply } from "../../worker/reply.ts";
import type { BodyMode } from "../body-mode.ts";
import type { StructRecord } from "../engine-metadata.ts";
import type { Phase } from "./decode.ts";
import { fieldHeadBytesMax, ProtobufWriter, textBytesMax } from "./protobuf-writer.ts";

/**
 * What Envoy is to send of the rest of the exchange. All six modes are always written: an unset body mode means NONE, an unset header mode the
 * filter's own. A body never comes without its trailers: a message of headers and trailers without data would go on unseen (measured).
 */
export interface ModeOverride {
  readonly requestBody: BodyMode;
  readonly responseHeaders: "send" | "skip";
  readonly responseBody: BodyMode;
}

/** Wire tags of ProcessingResponse 1.36: the field of each phase. */
const phaseTags = {
  "request-headers": 0x0a,
  "response-headers": 0x12,
  "request-body": 0x1a,
  "response-body": 0x22,
  "request-trailers": 0x2a,
  "response-trailers": 0x32,
} as const satisfies Record<Phase, number>;

/** The answer that changes nothing. Two bytes each: the field of the phase with an empty message. */
export const unchanged: Readonly<Record<Phase, Uint8Array>> = {
  "request-headers": Uint8Array.of(phaseTags["request-headers"], 0),
  "response-headers": Uint8Array.of(phaseTags["response-headers"], 0),
  "request-body": Uint8Array.of(phaseTags["request-body"], 0),
  "response-body": Uint8Array.of(phaseTags["response-body"], 0),
  "request-trailers": Uint8Array.of(phaseTags["request-trailers"], 0),
  "response-trailers": Uint8Array.of(phaseTags["response-trailers"], 0),
};

/** The answer to a headers message. */
export function encodeHeadersAnswer(
  phase: "request-headers" | "response-headers",
  changes: HeaderChanges,
  override: ModeOverride | undefined,
): Uint8Array {
  if (isEmpty(changes) && override === undefined) return unchanged[phase];
  const writer = new ProtobufWriter(answerBytesMax + mutationBytesMax(changes));
  if (override !== undefined) writeOverride(writer, override);
  const mark = writer.mark();
  writeMutation(writer, tags.common.headerMutation, changes);
  writer.message(mark, tags.response);
  writer.message(mark, phaseTags[phase]);
  return writer.finish();
}

/**
 * The answer to a whole body: headers are still held, so this is where their changes go too.
 *
 * @param body what replaces it; undefined leaves it as it is. The changes must then fit its length, else Envoy answers 500.
 */
export function encodeBodyAnswer(
  phase: "request-body" | "response-body",
  changes: HeaderChanges,
  body: Uint8Array | undefined,
): Uint8Array {
  if (isEmpty(changes) && body === undefined) return unchanged[phase];
  const writer = new ProtobufWriter(answerBytesMax + mutationBytesMax(changes) + (body?.length ?? 0));
  const mark = writer.mark();
  if (body !== undefined) {
    if (body.length === 0) writer.integer(tags.bodyMutation.clearBody, 1);
    else writer.bytes(tags.bodyMutation.body, body);
    writer.message(mark, tags.common.bodyMutation);
  }
  writeMutation(writer, tags.common.headerMutation, changes);
  writer.message(mark, tags.response);
  writer.message(mark, phaseTags[phase]);
  return writer.finish();
}

/** A part of a body in FULL_DUPLEX_STREAMED. The last one says so, unless trailers follow it. */
export function encodeStreamedBody(phase: "request-body" | "response-body", body: Uint8Array, endOfStream: StreamEnd): Uint8Array {
  const writer = new ProtobufWriter(answerBytesMax + body.length);
  const mark = writer.mark();
  if (endOfStream === "last") writer.integer(tags.streamedResponse.endOfStream, 1);
  writer.bytes(tags.streamedResponse.body, body);
  writer.message(mark, tags.bodyMutation.streamedResponse);
  writer.message(mark, tags.common.bodyMutation);
  writer.message(mark, tags.response);
  writer.message(mark, phaseTags[phase]);
  return writer.finish();
}

export type StreamEnd = "last" | "more-follows";

/** The answer to trailers. */
export function encodeTrailersAnswer(phase: "request-trailers" | "response-trailers", changes: HeaderChanges): Uint8Array {
  if (isEmpty(changes)) return unchanged[phase];
  const writer = new ProtobufWriter(answerBytesMax + mutationBytesMax(changes));
  const mark = writer.mark();
  writeMutation(writer, tags.trailersMutation, changes);
  writer.message(mark, phaseTags[phase]);
  return writer.finish();
}

const isEmpty = ({ remove, set }: HeaderChanges): boolean => remove.length === 0 && set.length === 0;

/** The answer that replies to the client in place of the upstream. Envoy makes a 200 of a missing status, so the type demands one. */
export function encodeReply(reply: FinalReply): Uint8Array {
  const seen = new Set<string>();
  const set = reply.headers.map(({ name, value }) => {
    const append = seen.has(name);
    seen.add(name);
    return { name, value, append };
  });
  const changes = { remove: [], set };
  // Shown by Envoy's %RESPONSE_CODE_DETAILS%.
  const details = `policy_engine_${reply.code}`;
  const writer = new ProtobufWriter(answerBytesMax + mutationBytesMax(changes) + reply.body.length + Buffer.byteLength(details));
  const mark = writer.mark();
  writer.text(tags.reply.details, details);
  if (reply.grpcStatus !== undefined) {
    const grpc = writer.mark();
    writer.integer(tags.statusCode, reply.grpcStatus);
    writer.message(grpc, tags.reply.grpcStatus);
  }
  writer.bytes(tags.reply.body, reply.body);
  writeMutation(writer, tags.reply.headers, changes);
  const status = writer.mark();
  writer.integer(tags.statusCode, reply.status);
  writer.message(status, tags.reply.status);
  writer.message(mark, tags.immediateResponse);
  return writer.finish();
}

/** Adds what Envoy is told about the exchange. Two encoded parts, one behind the other, are one message. */
export function withDynamicMetadata(answer: Uint8Array, metadata: Readonly<Record<string, StructRecord>>): Uint8Array {
  return Buffer.concat([answer, ProcessingResponse.encode({ dynamicMetadata: metadata }).finish()]);
}

/** Envoy's header map takes at most 100 headers by default, and 101 removals or additions in one message are a 500. */
export function exceedsEnvoysLimit(changes: HeaderChanges): boolean {
  return changes.remove.length > 100 || changes.set.length > 100;
}

/** Wire tags of 1.36: the field's number times 8, and 2 for what has a length, 0 for an integer. */
const tags = {
  /** ProcessingResponse. */
  immediateResponse: 0x3a,
  modeOverride: 0x4a,
  /** HeadersResponse and BodyResponse. */
  response: 0x0a,
  common: { headerMutation: 0x12, bodyMutation: 0x1a },
  trailersMutation: 0x0a,
  bodyMutation: { body: 0x0a, clearBody: 0x10, streamedResponse: 0x1a },
  streamedResponse: { body: 0x0a, endOfStream: 0x10 },
  headerMutation: { setHeaders: 0x0a, removeHeaders: 0x12 },
  headerOption: { header: 0x0a, append: 0x12, appendAction: 0x18 },
  boolValue: 0x08,
  headerValue: { key: 0x0a, rawValue: 0x1a },
  reply: { status: 0x0a, headers: 0x12, body: 0x1a, grpcStatus: 0x22, details: 0x2a },
  /** HttpStatus.code and GrpcStatus.status. */
  statusCode: 0x08,
  /** ProcessingMode. */
  modes: { requestHeader: 0x08, responseHeader: 0x10, requestBody: 0x18, responseBody: 0x20, requestTrailer: 0x28, responseTrailer: 0x30 },
} as const;

/** What an answer is longer at most than the changes and the body within it. */
const answerBytesMax = 96;
/** What a line of a mutation is longer at most than its name and value: the heads of the option, the header, its name and value, and 6 for the ways to append. */
const lineBytesMax = 4 * fieldHeadBytesMax + 6;

function mutationBytesMax({ remove, set }: HeaderChanges): number {
  let bytes = fieldHeadBytesMax;
  for (const name of remove) bytes += textBytesMax(name) + lineBytesMax;
  for (const { name, value } of set) bytes += textBytesMax(name) + value.length + lineBytesMax;
  return bytes;
}

function writeMutation(writer: ProtobufWriter, tag: number, { remove, set }: HeaderChanges): void {
  const mark = writer.mark();
  for (let last = remove.length - 1; last >= 0; last--) writer.text(tags.headerMutation.removeHeaders, remove[last] ?? "");
  for (let last = set.length - 1; last >= 0; last--) {
    const line = set[last];
    if (line !== undefined) writeLine(writer, line);
  }
  writer.message(mark, tag);
}

function writeLine(writer: ProtobufWriter, { name, value, append }: HeaderChanges["set"][number]): void {
  const mark = writer.mark();
  // Envoy reads `raw_value` only, and of the ways to append only the deprecated `append`; the others are for other data planes.
  writer.integer(tags.headerOption.appendAction, append ? AppendAction.APPEND_IF_EXISTS_OR_ADD : AppendAction.OVERWRITE_IF_EXISTS_OR_ADD);
  const bool = writer.mark();
  writer.integer(tags.boolValue, append ? 1 : 0);
  writer.message(bool, tags.headerOption.append);
  const header = writer.mark();
  writer.bytes(tags.headerValue.rawValue, value);
  writer.text(tags.headerValue.key, name);
  writer.message(header, tags.headerOption.header);
  writer.message(mark, tags.headerMutation.setHeaders);
}

function writeOverride(writer: ProtobufWriter, { requestBody, responseHeaders, responseBody }: ModeOverride): void {
  const mark = writer.mark();
  writer.integer(tags.modes.responseTrailer, responseBody === "none" ? HeaderMode.SKIP : HeaderMode.SEND);
  writer.integer(tags.modes.requestTrailer, requestBody === "none" ? HeaderMode.SKIP : HeaderMode.SEND);
  writer.integer(tags.modes.responseBody, envoyMode(responseBody));
  writer.integer(tags.modes.requestBody, envoyMode(requestBody));
  writer.integer(tags.modes.responseHeader, responseHeaders === "send" ? HeaderMode.SEND : HeaderMode.SKIP);
  writer.integer(tags.modes.requestHeader, HeaderMode.SEND);
  writer.message(mark, tags.modeOverride);
}

function envoyMode(mode: BodyMode): EnvoyMode {
  switch (mode) {
    case "none":
      return EnvoyMode.NONE;
    case "buffered":
      return EnvoyMode.BUFFERED;
    case "full-duplex-streamed":
      return EnvoyMode.FULL_DUPLEX_STREAMED;
    default:
      return mode satisfies never;
  }
}
