/** What Envoy sends: messages as they should be, messages with odd parts, and damaged ones. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { ProcessingMode_BodySendMode as BodyMode } from "../../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { ProcessingRequest } from "../../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";

export const phases = ["requestHeaders", "requestBody", "requestTrailers", "responseHeaders", "responseBody", "responseTrailers"] as const;
export type PhaseCase = (typeof phases)[number];

export interface Sent {
  readonly phase: PhaseCase | undefined;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
  /** How often the headers are repeated: Envoy's limit is 100, ours is none. */
  readonly copies: number;
  readonly attributes: Readonly<Record<string, string | number>> | undefined;
  readonly observed: boolean;
  /** Of a message with headers or a body: nothing follows in its direction. */
  readonly last: boolean;
  readonly body: Uint8Array;
  /** Envoy's own modes of the request's and the response's body; undefined where it does not say. */
  readonly configured: readonly [request: BodyMode, response: BodyMode] | undefined;
  /** Fields of a newer protocol, or a second phase: raw bytes behind the message. */
  readonly tail: Uint8Array;
  readonly damage: { readonly kind: "none" } | { readonly kind: "cut" | "flip"; readonly at: number };
}

const headerName = fc.oneof(
  fc.constantFrom(":path", ":method", ":authority", ":status", "content-type", "x-request-id", "__proto__", "constructor", "", "\u212a"),
  fc.string({ maxLength: 8 }),
);
const aboutBody: readonly (readonly [string, Uint8Array])[] = [
  ["content-encoding", Buffer.from("gzip")],
  ["content-encoding", Buffer.from("br")],
  ["content-length", Buffer.from("4")],
  ["content-length", Buffer.from("5000")],
  ["content-type", Buffer.from("text/event-stream")],
  ["etag", Buffer.from('"1"')],
  ["upgrade", Buffer.from("websocket")],
  [":method", Buffer.from("CONNECT")],
  [":status", Buffer.from("206")],
  [":status", Buffer.from("304")],
];
const header = fc.oneof(fc.tuple(headerName, fc.uint8Array({ maxLength: 12 })), fc.constantFrom(...aboutBody));
const body = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(Buffer.from("body"), gzipSync("body"), Buffer.alloc(0)) },
  { weight: 1, arbitrary: fc.constantFrom(Buffer.alloc(1025), gzipSync(Buffer.alloc(1025)), gzipSync(Buffer.alloc(100_000))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
);
export const configured = fc.option(
  fc.constantFrom<NonNullable<Sent["configured"]>>(
    [BodyMode.NONE, BodyMode.NONE],
    [BodyMode.BUFFERED, BodyMode.NONE],
    [BodyMode.BUFFERED, BodyMode.BUFFERED],
    [BodyMode.STREAMED, BodyMode.STREAMED],
  ),
  { nil: undefined },
);
/** The same of routes whose bodies pass in pieces. */
export const configuredInPieces = fc.constantFrom<NonNullable<Sent["configured"]>>(
  [BodyMode.FULL_DUPLEX_STREAMED, BodyMode.FULL_DUPLEX_STREAMED],
  [BodyMode.FULL_DUPLEX_STREAMED, BodyMode.FULL_DUPLEX_STREAMED],
  [BodyMode.FULL_DUPLEX_STREAMED, BodyMode.NONE],
  [BodyMode.NONE, BodyMode.FULL_DUPLEX_STREAMED],
);
const ordinary: readonly (readonly [string, Uint8Array])[] = [
  [":method", Buffer.from("GET")],
  [":path", Buffer.from("/a?b")],
  [":status", Buffer.from("200")],
];
const attributes = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ "xds.route_name": "route" }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom("xds.route_name", "__proto__", "source.address", "xds.route_metadata.filter_metadata['policy.engine']['chain']"),
      fc.oneof(fc.constantFrom("route", "chain", ""), fc.integer()),
    ),
  },
);
const tail = fc.oneof(
  { weight: 8, arbitrary: fc.constant(new Uint8Array()) },
  // Flow control of later protocols, an unknown field, and each phase once more: the last one counts.
  { weight: 1, arbitrary: fc.constantFrom("6200", "6a00", "82fa0100", "1200", "2200", "3200", "52", "5001").map(fromHex) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
);

export function sent(phase: fc.Arbitrary<PhaseCase | undefined>): fc.Arbitrary<Sent> {
  return fc.record({
    phase,
    headers: fc.oneof(
      fc.constant(ordinary),
      fc.constant([...ordinary, ["content-encoding", Buffer.from("gzip")] as const]),
      fc.array(header, { maxLength: 6 }).map((some) => [...ordinary, ...some]),
      fc.array(header, { maxLength: 6 }),
    ),
    copies: fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 50, max: 400 }) }),
    attributes,
    observed: fc.oneof({ weight: 30, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    last: fc.boolean(),
    body,
    configured: fc.oneof({ weight: 4, arbitrary: configured }, { weight: 1, arbitrary: configuredInPieces }),
    tail,
    damage: fc.oneof(
      { weight: 15, arbitrary: fc.constant({ kind: "none" as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("cut" as const, "flip" as const), at: fc.nat({ max: 4000 }) }) },
    ),
  });
}

export const codings = ["none", "gzip"] as const;

/** A piece of a body, with more behind it. */
export function pieceOf(phase: "requestBody" | "responseBody"): Sent {
  return { ...wellFormed(phase, "none"), last: false };
}

/** As Envoy sends it. */
export function wellFormed(phase: PhaseCase, coding: (typeof codings)[number], modes?: Sent["configured"]): Sent {
  return {
    phase,
    headers: [
      ...ordinary,
      ...(coding === "gzip" ? [["content-encoding", Buffer.from("gzip")] as const] : [["content-length", Buffer.from("4")] as const]),
    ],
    copies: 1,
    attributes: { "xds.route_name": "route" },
    observed: false,
    last: phase.endsWith("Body"),
    body: coding === "gzip" ? gzipSync("body") : Buffer.from("body"),
    configured: modes,
    tail: new Uint8Array(),
    damage: { kind: "none" },
  };
}

function fromHex(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

export function bytesOf(sent: Sent): Uint8Array {
  const { headers, copies, attributes, observed, configured, tail, damage } = sent;
  const map = { headers: Array.from({ length: copies }, () => headers.map(([key, rawValue]) => ({ key, rawValue }))).flat() };
  const message = ProcessingRequest.encode({
    request: requestOf(sent, map),
    ...(configured === undefined ? {} : { protocolConfig: { requestBodyMode: configured[0], responseBodyMode: configured[1] } }),
    ...(attributes === undefined ? {} : { attributes: { "envoy.filters.http.ext_proc": attributes } }),
    ...(observed ? { observabilityMode: true } : {}),
  }).finish();
  const bytes = Buffer.concat([message, tail]);
  if (damage.kind === "none" || bytes.length === 0) return bytes;
  const at = damage.at % bytes.length;
  if (damage.kind === "cut") return bytes.subarray(0, at);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x55, at);
  return bytes;
}

interface HeaderMap {
  readonly headers: { key: string; rawValue: Uint8Array }[];
}

function requestOf({ phase, last, body }: Sent, headers: HeaderMap): ProcessingRequest["request"] {
  switch (phase) {
    case "requestHeaders":
    case "responseHeaders":
      return { $case: phase, value: { headers, endOfStream: last } };
    case "requestBody":
    case "responseBody":
      return { $case: phase, value: { body, endOfStream: last } };
    case "requestTrailers":
    case "responseTrailers":
      return { $case: phase, value: { trailers: headers } };
    case undefined:
      return undefined;
    default:
      return phase satisfies never;
  }
}
