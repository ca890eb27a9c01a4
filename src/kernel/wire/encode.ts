import { HeaderValueOption_HeaderAppendAction as AppendAction } from "../../generated/proto/envoy/config/core/v3/base.ts";
import {
  ProcessingMode_BodySendMode as EnvoyMode,
  ProcessingMode_HeaderSendMode as HeaderMode,
  type ProcessingMode,
} from "../../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
  type BodyMutation,
  type CommonResponse,
  type HeaderMutation,
  ProcessingResponse,
} from "../../generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { HeaderChanges } from "../../worker/header-store.ts";
import type { FinalReply } from "../../worker/reply.ts";
import type { BodyMode } from "../body-mode.ts";
import type { StructRecord } from "../engine-metadata.ts";
import type { Phase } from "./decode.ts";

/**
 * What Envoy is to send of the rest of the exchange. All six modes are always written: an unset body mode means NONE, an unset header mode the
 * filter's own. A body never comes without its trailers: a message of headers and trailers without data would go on unseen (measured).
 */
export interface ModeOverride {
  readonly requestBody: BodyMode;
  readonly responseHeaders: "send" | "skip";
  readonly responseBody: BodyMode;
}

/**
 * The answer that changes nothing. Two bytes each: the field of the phase with an empty message (wire numbers of ProcessingResponse 1.36).
 */
export const unchanged: Readonly<Record<Phase, Uint8Array>> = {
  "request-headers": Uint8Array.of(0x0a, 0),
  "response-headers": Uint8Array.of(0x12, 0),
  "request-body": Uint8Array.of(0x1a, 0),
  "response-body": Uint8Array.of(0x22, 0),
  "request-trailers": Uint8Array.of(0x2a, 0),
  "response-trailers": Uint8Array.of(0x32, 0),
};

/** The answer to a headers message. */
export function encodeHeadersAnswer(
  phase: "request-headers" | "response-headers",
  changes: HeaderChanges,
  override: ModeOverride | undefined,
): Uint8Array {
  if (isEmpty(changes) && override === undefined) return unchanged[phase];
  const response: CommonResponse = { headerMutation: mutation(changes) };
  return ProcessingResponse.encode({
    response: { $case: phase === "request-headers" ? "requestHeaders" : "responseHeaders", value: { response } },
    ...(override === undefined ? {} : { modeOverride: processingMode(override) }),
  }).finish();
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
  const response: CommonResponse = {
    headerMutation: mutation(changes),
    ...(body === undefined ? {} : { bodyMutation: bodyMutation(body) }),
  };
  return ProcessingResponse.encode({
    response: { $case: phase === "request-body" ? "requestBody" : "responseBody", value: { response } },
  }).finish();
}

/**
 * A part of a body in FULL_DUPLEX_STREAMED. The last one says so, unless trailers follow it. By hand, because every byte of every such body comes
 * through here: the generated writer copies them once for each message around them, and needs twice their size for it.
 */
export function encodeStreamedBody(phase: "request-body" | "response-body", body: Uint8Array, endOfStream: StreamEnd): Uint8Array {
  const end = endOfStream === "last" ? endOfStreamTrue : noBytes;
  const heads = [fieldHead(streamedBodyTags.body, body.length)];
  let length = body.length + end.length;
  for (const tag of [...streamedBodyTags.around, unchanged[phase][0] ?? 0]) {
    length += heads[0]?.length ?? 0;
    heads.unshift(fieldHead(tag, length));
  }
  return Buffer.concat([...heads, body, end]);
}

/** Wire tags of 1.36: StreamedBodyResponse.body, and around it BodyMutation.streamed_response, CommonResponse.body_mutation, BodyResponse.response. */
const streamedBodyTags = { body: 0x0a, around: [0x1a, 0x1a, 0x0a] } as const;
/** StreamedBodyResponse.end_of_stream. */
const endOfStreamTrue = Uint8Array.of(0x10, 1);
const noBytes = new Uint8Array();

/** What stands before the bytes of a field: its tag, and their number as a varint. */
function fieldHead(tag: number, length: number): Uint8Array {
  const head = [tag];
  let left = length;
  for (; left > 0x7f; left >>>= 7) head.push((left & 0x7f) | 0x80);
  return Uint8Array.of(...head, left);
}

export type StreamEnd = "last" | "more-follows";

/** The answer to trailers. */
export function encodeTrailersAnswer(phase: "request-trailers" | "response-trailers", changes: HeaderChanges): Uint8Array {
  if (isEmpty(changes)) return unchanged[phase];
  return ProcessingResponse.encode({
    response: {
      $case: phase === "request-trailers" ? "requestTrailers" : "responseTrailers",
      value: { headerMutation: mutation(changes) },
    },
  }).finish();
}

function bodyMutation(body: Uint8Array): BodyMutation {
  return { mutation: body.length === 0 ? { $case: "clearBody", value: true } : { $case: "body", value: body } };
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
  return ProcessingResponse.encode({
    response: {
      $case: "immediateResponse",
      value: {
        status: { code: reply.status },
        headers: mutation({ remove: [], set }),
        body: reply.body,
        ...(reply.grpcStatus === undefined ? {} : { grpcStatus: { status: reply.grpcStatus } }),
        // Shown by Envoy's %RESPONSE_CODE_DETAILS%.
        details: `policy_engine_${reply.code}`,
      },
    },
  }).finish();
}

/** Adds what Envoy is told about the exchange. Two encoded parts, one behind the other, are one message. */
export function withDynamicMetadata(answer: Uint8Array, metadata: Readonly<Record<string, StructRecord>>): Uint8Array {
  return Buffer.concat([answer, ProcessingResponse.encode({ dynamicMetadata: metadata }).finish()]);
}

/** Envoy's header map takes at most 100 headers by default, and 101 removals or additions in one message are a 500. */
export function exceedsEnvoysLimit(changes: HeaderChanges): boolean {
  return changes.remove.length > 100 || changes.set.length > 100;
}

function mutation(changes: HeaderChanges): HeaderMutation {
  return {
    removeHeaders: [...changes.remove],
    setHeaders: changes.set.map(({ name, value, append }) => ({
      // Envoy reads `raw_value` only, and of the ways to append only the deprecated `append`; the others are for other data planes.
      header: { key: name, rawValue: value },
      append,
      appendAction: append ? AppendAction.APPEND_IF_EXISTS_OR_ADD : AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    })),
  };
}

function processingMode({ requestBody, responseHeaders, responseBody }: ModeOverride): ProcessingMode {
  return {
    requestHeaderMode: HeaderMode.SEND,
    responseHeaderMode: responseHeaders === "send" ? HeaderMode.SEND : HeaderMode.SKIP,
    requestBodyMode: envoyMode(requestBody),
    responseBodyMode: envoyMode(responseBody),
    requestTrailerMode: requestBody === "none" ? HeaderMode.SKIP : HeaderMode.SEND,
    responseTrailerMode: responseBody === "none" ? HeaderMode.SKIP : HeaderMode.SEND,
  };
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
