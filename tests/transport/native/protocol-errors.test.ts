/** What RFC 9113 forbids a client, and what it gets for it: the connection's end, or its stream's. */
import { expect, test } from "vitest";
import { drivenConnection } from "./driven-connection.ts";
import { data, flags, frame, grpcRequest, headers, literals, message, reset, settings, types, uint32, windowUpdate } from "./frames.ts";

const open = (streamId: number, more: number = flags.none): Buffer => headers(streamId, grpcRequest(), more);
const body = message("question");
const trailers = headers(1, [["x-trailer", "v"]], flags.endStream);
const windowMax = 2 ** 31 - 1;
const begun = frame(types.headers, flags.none, 1, literals(grpcRequest()));

/** Section of the RFC and what is sent, the bytes, and the last word that is heard: `goaway` with the last stream and the code, or `reset`. */
test.for<readonly [what: string, bytes: readonly Buffer[], word: string]>([
  ["5.1 DATA on a stream that was never opened", [data(1, body)], "goaway 0 1"],
  ["5.1 RST_STREAM on one", [reset(1)], "goaway 0 1"],
  ["5.1 WINDOW_UPDATE on one", [windowUpdate(1, 1)], "goaway 0 1"],
  ["5.1 DATA behind the end", [open(1, flags.endStream), data(1, body)], "reset 1 5"],
  ["5.1 trailers behind trailers", [open(1), trailers, trailers], "reset 1 5"],
  ["5.1 DATA behind trailers", [open(1), trailers, data(1, body)], "reset 1 5"],
  ["5.1 HEADERS behind a reset", [open(1), reset(1), open(1)], "goaway 1 5"],
  ["5.1.1 HEADERS on no stream", [open(0)], "goaway 0 1"],
  ["5.1.1 HEADERS with an even id", [open(2)], "goaway 0 1"],
  ["5.1.1 HEADERS with a smaller id", [open(5), open(3)], "goaway 5 1"],
  ["6.1 DATA on no stream", [data(0, body)], "goaway 0 1"],
  ["6.1 padding that is longer than its frame", [open(1), data(1, Buffer.of(5, 1, 2, 3, 4), flags.padded)], "goaway 1 1"],
  ["6.1 padding without its length", [open(1), data(1, Buffer.of(), flags.padded)], "goaway 1 6"],
  [
    "6.2 HEADERS that are shorter than their priority",
    [frame(types.headers, flags.endHeaders | flags.priority, 1, Buffer.alloc(3))],
    "goaway 0 1",
  ],
  ["6.3 PRIORITY of four octets on an open stream", [open(1), frame(types.priority, flags.none, 1, Buffer.alloc(4))], "reset 1 6"],
  ["6.3 PRIORITY of four octets on another", [frame(types.priority, flags.none, 1, Buffer.alloc(4))], "goaway 0 1"],
  ["6.3 PRIORITY on no stream", [frame(types.priority, flags.none, 0, Buffer.alloc(5))], "goaway 0 1"],
  ["6.4 RST_STREAM of five octets", [open(1), frame(types.reset, flags.none, 1, Buffer.alloc(5))], "goaway 1 6"],
  ["6.4 RST_STREAM on no stream", [reset(0)], "goaway 0 1"],
  ["6.5 SETTINGS of five octets", [frame(types.settings, flags.none, 0, Buffer.alloc(5))], "goaway 0 6"],
  ["6.5 SETTINGS on a stream", [frame(types.settings, flags.none, 1)], "goaway 0 1"],
  ["6.5 an acknowledgement with settings", [frame(types.settings, flags.ack, 0, Buffer.alloc(6))], "goaway 0 6"],
  ["6.5.2 ENABLE_PUSH of two", [settings([2, 2])], "goaway 0 1"],
  ["6.5.2 INITIAL_WINDOW_SIZE that is too large", [settings([4, windowMax + 1])], "goaway 0 3"],
  ["6.5.2 MAX_FRAME_SIZE that is too small", [settings([5, 16_383])], "goaway 0 1"],
  ["6.5.2 MAX_FRAME_SIZE that is too large", [settings([5, 2 ** 24])], "goaway 0 1"],
  ["6.6 PUSH_PROMISE", [frame(types.pushPromise, flags.endHeaders, 1, uint32(2))], "goaway 0 1"],
  ["6.7 PING of seven octets", [frame(types.ping, flags.none, 0, Buffer.alloc(7))], "goaway 0 6"],
  ["6.7 PING on a stream", [frame(types.ping, flags.none, 1, Buffer.alloc(8))], "goaway 0 1"],
  ["6.8 GOAWAY of seven octets", [frame(types.goaway, flags.none, 0, Buffer.alloc(7))], "goaway 0 6"],
  ["6.8 GOAWAY on a stream", [frame(types.goaway, flags.none, 1, Buffer.alloc(8))], "goaway 0 1"],
  ["6.9 WINDOW_UPDATE of five octets", [frame(types.windowUpdate, flags.none, 0, Buffer.alloc(5))], "goaway 0 6"],
  ["6.9 WINDOW_UPDATE of nothing on the connection", [windowUpdate(0, 0)], "goaway 0 1"],
  ["6.9 WINDOW_UPDATE of nothing on a stream", [open(1), windowUpdate(1, 0)], "reset 1 1"],
  ["6.9.1 a window of the connection that overflows", [windowUpdate(0, windowMax)], "goaway 0 3"],
  ["6.9.1 a window of a stream that overflows", [open(1), windowUpdate(1, windowMax)], "reset 1 3"],
  ["6.9.2 settings that make one overflow", [open(1), windowUpdate(1, windowMax - 65_535), settings([4, 65_536])], "goaway 1 3"],
  ["6.10 CONTINUATION without HEADERS", [frame(types.continuation, flags.endHeaders, 1)], "goaway 0 1"],
  ["6.10 another frame within a header block", [begun, frame(types.ping, flags.none, 0, Buffer.alloc(8))], "goaway 0 1"],
  ["6.10 CONTINUATION on another stream", [begun, frame(types.continuation, flags.endHeaders, 3)], "goaway 0 1"],
  ["6.10 a frame of no known type within a header block", [begun, frame(0xaa, flags.none, 1)], "goaway 0 1"],
  ["8.1 HEADERS in the middle of a stream", [open(1), headers(1, [["x-trailer", "v"]])], "reset 1 1"],
  [
    "8.1.1 a body that ends before its length",
    [headers(1, [...grpcRequest(), ["content-length", "30"]]), data(1, body, flags.endStream)],
    "reset 1 1",
  ],
  ["8.3 no pseudo-headers", [frame(types.headers, flags.endHeaders, 1)], "reset 1 1"],
  ["8.3 a path twice", [headers(1, [...grpcRequest(), [":path", "/other"]])], "reset 1 1"],
])("%s", ([, bytes, word]) => {
  const driven = drivenConnection();
  const words = driven.words(driven.send(...bytes));
  expect(words.at(-1)).toMatch(new RegExp(`^${word}(?: |$)`));
  expect(driven.ended()).toBe(word.startsWith("goaway"));
});
