/** Attacks on HTTP/2 servers, by the names they are known by. Each is what one peer sends, piece by piece, until it is stopped. */
import {
  data,
  flags,
  frame,
  grpcRequest,
  headers,
  integer,
  literals,
  message,
  preface,
  reset,
  settings,
  text,
  types,
  uint32,
  windowUpdate,
} from "./frames.ts";

export interface Attack {
  readonly name: string;
  readonly pieces: () => Iterable<Buffer>;
  /** `ignores`: the peer reads nothing that is sent to it. */
  readonly peer: "reads" | "ignores";
  /**
   * The code of the GOAWAY that ends it (RFC 9113 7), `closed` when it is cut off without one that it could read, or `served`: it costs no more
   * than honest use.
   */
  readonly ends: number | "closed" | "served";
  /** What some of its streams hear: the code of a reset, or a text in their trailers. */
  readonly streamsHear?: number | string;
}

const greeting = Buffer.concat([preface, settings()]);
const calm = 11;
const refused = 7;

/** A piece again and again, after a beginning, in writes of some size. */
function* flood(beginning: Buffer, piece: (nth: number) => Buffer, times: number): Iterable<Buffer> {
  yield beginning;
  const together = 200;
  for (let nth = 0; nth < times; nth += together) yield Buffer.concat(Array.from({ length: together }, (_, index) => piece(nth + index)));
}

const id = (nth: number): number => 2 * nth + 1;
const request = literals(grpcRequest());
/** Keeps all fields in the table, then refers to them: a request of a few octets. */
const indexedRequest = Buffer.concat(grpcRequest().map((_, index, all) => integer(0x80, 0x7f, 62 + all.length - 1 - index)));
const keepRequest = Buffer.concat(grpcRequest().flatMap(([name, value]) => [Buffer.of(0x40), text(name), text(value)]));
const openFirst = Buffer.concat([greeting, frame(types.headers, flags.endHeaders, 1, keepRequest)]);
const open = (streamId: number, more: number = flags.none): Buffer =>
  frame(types.headers, flags.endHeaders | more, streamId, indexedRequest);

/** So many streams that are opened, and nothing more. */
export const streamsLeft = (count: number): Iterable<Buffer> => flood(openFirst, (nth) => open(id(nth + 1)), count);

export const attacks: readonly Attack[] = [
  {
    name: "rapid reset",
    pieces: () => flood(openFirst, (nth) => Buffer.concat([open(id(nth + 1)), reset(id(nth + 1))]), 100_000),
    peer: "reads",
    ends: calm,
  },
  {
    name: "made you reset: windows of nothing",
    pieces: () => flood(openFirst, (nth) => Buffer.concat([open(id(nth + 1)), windowUpdate(id(nth + 1), 0)]), 100_000),
    peer: "reads",
    ends: calm,
  },
  {
    name: "continuation flood",
    pieces: () =>
      flood(
        Buffer.concat([greeting, frame(types.headers, flags.none, 1, request)]),
        () => frame(types.continuation, flags.none, 1, literals([["x-more", "a".repeat(1_000)]])),
        10_000,
      ),
    peer: "reads",
    ends: calm,
  },
  {
    name: "continuation flood of empty frames",
    pieces: () =>
      flood(
        Buffer.concat([greeting, frame(types.headers, flags.none, 1, request)]),
        () => frame(types.continuation, flags.none, 1),
        100_000,
      ),
    peer: "reads",
    ends: calm,
  },
  { name: "settings flood", pieces: () => flood(greeting, () => settings([4, 1], [4, 100_000]), 10_000), peer: "reads", ends: calm },
  {
    name: "ping flood",
    pieces: () => flood(greeting, () => frame(types.ping, flags.none, 0, Buffer.alloc(8)), 100_000),
    peer: "reads",
    ends: calm,
  },
  { name: "empty DATA frames", pieces: () => flood(openFirst, () => data(1, Buffer.of()), 100_000), peer: "reads", ends: calm },
  {
    name: "DATA frames of padding alone",
    pieces: () => flood(openFirst, () => data(1, Buffer.concat([Buffer.of(100), Buffer.alloc(100)]), flags.padded), 100_000),
    peer: "reads",
    ends: calm,
  },
  {
    name: "empty HEADERS",
    pieces: () => flood(greeting, (nth) => frame(types.headers, flags.endHeaders | flags.endStream, id(nth)), 100_000),
    peer: "reads",
    ends: calm,
  },
  {
    name: "priority flood",
    pieces: () => flood(greeting, () => frame(types.priority, flags.none, 1, Buffer.alloc(5)), 400_000),
    peer: "reads",
    ends: calm,
  },
  {
    name: "frames of a type that nobody knows",
    pieces: () => flood(greeting, () => frame(0xee, flags.none, 0), 400_000),
    peer: "reads",
    ends: calm,
  },
  {
    name: "window updates of one octet",
    pieces: () => flood(openFirst, () => windowUpdate(1, 1), 400_000),
    peer: "reads",
    ends: calm,
  },
  {
    name: "zero window: answers that nobody takes",
    pieces: () =>
      flood(
        Buffer.concat([openFirst, settings([4, 0])]),
        (nth) => Buffer.concat([open(id(nth + 1)), data(id(nth + 1), message(Buffer.alloc(10_000)))]),
        10_000,
      ),
    peer: "reads",
    ends: calm,
  },
  {
    name: "tiny window: answers that are taken octet by octet",
    pieces: () =>
      flood(
        Buffer.concat([openFirst, settings([4, 1]), open(3), data(3, message(Buffer.alloc(10_000)))]),
        () => windowUpdate(3, 1),
        10_000,
      ),
    peer: "reads",
    ends: "served",
  },
  {
    name: "HPACK bomb: one large field, and references to it",
    pieces: () =>
      flood(
        Buffer.concat([
          greeting,
          frame(types.headers, flags.endHeaders, 1, Buffer.concat([request, Buffer.of(0x40), text("x"), text("a".repeat(4_000))])),
        ]),
        // Fewer than a list may have, but 800,000 octets.
        (nth) => frame(types.headers, flags.endHeaders, id(nth + 1), Buffer.alloc(200, 0x80 | 62)),
        2_000,
      ),
    peer: "reads",
    ends: "served",
    streamsHear: calm,
  },
  {
    name: "slow reader: requests for large answers, nothing read",
    pieces: () =>
      flood(
        Buffer.concat([openFirst, settings([4, 2 ** 31 - 1]), windowUpdate(0, 2 ** 31 - 1 - 65_535)]),
        (nth) => Buffer.concat([open(id(nth + 1)), data(id(nth + 1), message(Buffer.alloc(10_000)))]),
        10_000,
      ),
    peer: "ignores",
    ends: "closed",
  },
  {
    name: "slow reader: requests that are refused, nothing read",
    pieces: () => flood(greeting, (nth) => headers(id(nth), grpcRequest("/no.Service/Method"), flags.endStream), 100_000),
    peer: "ignores",
    ends: "closed",
  },
  {
    name: "large messages announced and never sent",
    pieces: () =>
      flood(
        openFirst,
        (nth) =>
          Buffer.concat([open(id(nth + 1)), data(id(nth + 1), Buffer.concat([Buffer.of(0), uint32(1024 * 1024), Buffer.alloc(100)]))]),
        // So many that they keep more than their connection may, and not so many that they keep more than all connections may.
        8_000,
      ),
    peer: "reads",
    ends: "served",
    streamsHear: "too much that is not whole",
  },
  {
    name: "streams that are opened and left",
    pieces: () => streamsLeft(20_000),
    peer: "reads",
    ends: "served",
    streamsHear: refused,
  },
  {
    name: "a frame of 16 MiB",
    pieces: () => [greeting, frame(types.data, flags.none, 0, Buffer.alloc(2 ** 24 - 1))],
    peer: "reads",
    ends: 6,
  },
  {
    name: "a header field that is larger than allowed",
    pieces: () => [
      greeting,
      frame(types.headers, flags.none, 1, request),
      ...Array(8).fill(frame(types.continuation, flags.none, 1, Buffer.alloc(16_000))),
    ],
    peer: "reads",
    ends: calm,
  },
  {
    name: "a thousand header fields",
    // Of 34,000 octets, as lists are measured: too many, not too large.
    pieces: () => [greeting, headers(1, [...grpcRequest(), ...Array<readonly [string, string]>(1000).fill(["x", "y"])])],
    peer: "reads",
    ends: "served",
    streamsHear: calm,
  },
  {
    name: "a message that is larger than allowed",
    pieces: () => [openFirst, data(1, Buffer.concat([Buffer.of(0), uint32(2 ** 32 - 1), Buffer.alloc(10_000)]))],
    peer: "reads",
    ends: "served",
    streamsHear: "larger than this server takes",
  },
  { name: "no HTTP/2 at all", pieces: () => [Buffer.from("GET / HTTP/1.1\r\nhost: engine\r\n\r\n")], peer: "reads", ends: 1 },
];
