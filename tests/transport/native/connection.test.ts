/** One connection, frame by frame. */
import { describe, expect, test } from "vitest";
import { drivenConnection } from "./driven-connection.ts";
import {
  data,
  type Fields,
  flags,
  frame,
  grpcRequest,
  headers,
  literals,
  message,
  preface,
  reset,
  settings,
  types,
  uint32,
  windowUpdate,
} from "./frames.ts";

const open = (streamId: number): Buffer => headers(streamId, grpcRequest());
const answer =
  (content: string) =>
  (_bytes: unknown, { sink }: { sink: { sendAndEnd(bytes: Buffer): void } }) =>
    sink.sendAndEnd(Buffer.from(content));

describe("an exchange", () => {
  test("headers, message and OK leave in one write, and constants are indices from the second on", () => {
    const driven = drivenConnection({ message: answer("yes") });
    const first = driven.words(driven.send(Buffer.concat([open(1), data(1, message("ask"))])));
    expect(first).toEqual([
      "headers 1 :status=200 content-type=application/grpc",
      'data 1 "\\u0000\\u0000\\u0000\\u0000\\u0003yes"',
      "headers 1 grpc-status=0, end",
    ]);
    expect(driven.writes()).toBe(1);
    const second = driven.send(Buffer.concat([open(3), data(3, message("ask"))]));
    expect(second.map(({ payload }) => payload.length)).toEqual([2, 8, 1]);
    expect(driven.words(second)).toEqual(first.map((words) => words.replace(" 1 ", " 3 ")));
  });

  test("what many streams answer to one read leaves in one write", () => {
    const driven = drivenConnection({ message: answer("yes") });
    const asked = Array.from({ length: 50 }, (_, index) => [open(2 * index + 1), data(2 * index + 1, message("ask"))]).flat();
    expect(driven.send(Buffer.concat(asked))).toHaveLength(150);
    expect(driven.writes()).toBe(1);
  });

  test("nothing is said to a peer that needs not hear it: no windows and no PING for small messages", () => {
    const none = { burst: 0, perSecond: 0 };
    // Nor do ordinary resets count as any kind of flood.
    const driven = drivenConnection({ message: answer("yes"), limits: { resets: none, otherFrames: none } });
    const said: string[] = [];
    for (let id = 1; id < 2_000; id += 2) {
      said.push(...driven.words(driven.send(Buffer.concat([open(id), data(id, message("a".repeat(1_500))), reset(id, 0)]))));
    }
    expect(said.filter((words) => !/^(headers|data)/.test(words))).toEqual([]);
    expect(driven.calls.filter(({ events }) => events.filter((event) => event === "closed").length !== 1)).toEqual([]);
  });

  test("after our end the peer may still send, in vain; after its own it may not", () => {
    const driven = drivenConnection({ message: answer("yes") });
    driven.send(open(1), data(1, message("ask")));
    expect(driven.calls[0]?.events).toEqual(["message ask", "closed"]);
    expect(driven.send(data(1, message("more")), windowUpdate(1, 10), headers(1, [["x", "y"]], flags.endStream))).toEqual([]);
    expect(driven.words(driven.send(data(1, message("more"))))).toEqual(["goaway 1 5 a frame on a stream that its sender has ended"]);
    expect(driven.ended()).toBe(true);
  });

  test("closed comes once, after a reset, after an end, and when the connection is gone", () => {
    const driven = drivenConnection();
    driven.send(open(1), open(3), open(5), open(7), reset(7), data(3, message("ask"), flags.endStream));
    driven.send(reset(1, 0));
    driven.calls[1]?.sink.end();
    driven.heard();
    driven.connection.lost();
    driven.connection.lost();
    expect(driven.calls.map(({ events }) => events.join(", "))).toEqual([
      "half-closed, closed",
      "message ask, half-closed, closed",
      "closed",
      "closed",
    ]);
    for (const { sink } of driven.calls) sink.send(Buffer.from("late"));
    expect(driven.heard()).toEqual([]);
  });
});

describe("flow control", () => {
  test("an answer waits for the peer's windows, and OK for the answer", () => {
    const driven = drivenConnection({ message: answer("a".repeat(50)) });
    driven.send(settings([4, 10]));
    const started = driven.words(driven.send(open(1), data(1, message("ask"))));
    expect(started.slice(1)).toEqual(['data 1 "\\u0000\\u0000\\u0000\\u00002aaaaa"']);
    expect(driven.words(driven.send(windowUpdate(1, 44)))).toEqual(["data 1 44"]);
    expect(driven.words(driven.send(windowUpdate(1, 1)))).toEqual(['data 1 "a"', "headers 1 grpc-status=0, end"]);
  });

  test("a failure does not wait, and what waited is dropped", () => {
    const driven = drivenConnection({ message: (_bytes, { sink }) => void sink.send(Buffer.alloc(50)) });
    driven.send(settings([4, 10]), open(1), data(1, message("ask")));
    driven.calls[0]?.sink.fail("internal", "why: 100 %\n");
    expect(driven.words(driven.heard())).toEqual(["headers 1 grpc-status=13 grpc-message=why: 100 %25%0A, end"]);
    expect(driven.send(windowUpdate(1, 100))).toEqual([]);
  });

  test("a smaller window of the settings holds for open streams too, also below zero", () => {
    const driven = drivenConnection();
    driven.send(open(1), settings([4, 0]));
    driven.calls[0]?.sink.send(Buffer.from("one"));
    expect(driven.words(driven.heard())).toEqual(["headers 1 :status=200 content-type=application/grpc"]);
    expect(driven.words(driven.send(settings([4, 8])))).toEqual(["settings ack", 'data 1 "\\u0000\\u0000\\u0000\\u0000\\u0003one"']);
  });

  test("streams that wait for the connection's window take turns", () => {
    const driven = drivenConnection({ message: (_bytes, { sink }) => void sink.send(Buffer.alloc(60_000)) });
    driven.send(settings([4, 1_000_000]));
    driven.send(open(1), data(1, message("ask")), open(3), data(3, message("ask")), open(5), data(5, message("ask")));
    const sent = driven.send(windowUpdate(0, 16_384 * 4)).map(({ streamId }) => streamId);
    expect(new Set(sent).size).toBe(2);
  });

  test("a sender is asked to wait above the high mark, and told when there is room", () => {
    const driven = drivenConnection();
    driven.send(open(1));
    const [call] = driven.calls;
    const took = Array.from({ length: 5 }, () => call?.sink.send(Buffer.alloc(30_000)));
    expect(took).toEqual([true, true, false, false, false]);
    driven.heard();
    expect(call?.events).toEqual([]);
    driven.send(windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000));
    expect(call?.events).toEqual(["drained"]);
  });

  test("a socket that takes nothing keeps answers in their streams until it does", () => {
    const driven = drivenConnection();
    driven.send(settings([4, 1_000_000]), windowUpdate(0, 1_000_000), open(1));
    driven.untaken(300_000);
    driven.calls[0]?.sink.send(Buffer.from("one"));
    expect(driven.heard()).toHaveLength(2);
    driven.calls[0]?.sink.send(Buffer.from("two"));
    expect(driven.heard()).toEqual([]);
    driven.untaken(0);
    driven.connection.writable();
    expect(driven.words(driven.heard())).toEqual(['data 1 "\\u0000\\u0000\\u0000\\u0000\\u0003two"']);
  });

  test("a paused stream hears nothing, keeps its window shut, and loses nothing", () => {
    const driven = drivenConnection({ message: (_bytes, { sink }) => sink.pause() });
    driven.send(open(1));
    const whole = message(Buffer.alloc(50_000, "a"));
    const windows: string[] = [];
    const pieces = [...Array(5).keys()].flatMap(() => cut(whole, 10_000));
    for (const piece of pieces) windows.push(...driven.words(driven.send(data(1, piece))));
    driven.send(data(1, Buffer.of(), flags.endStream));
    const [call] = driven.calls;
    expect([call?.events, windows]).toEqual([["message of 50000 bytes"], []]);
    for (let nth = 2; nth <= 5; nth++) {
      call?.sink.resume();
      expect(call?.events).toHaveLength(nth - 1);
      driven.heard();
      expect(call?.events).toHaveLength(nth);
    }
    call?.sink.resume();
    driven.heard();
    expect(call?.events.at(-1)).toBe("half-closed");
  });

  test("a stream that is read gets its window back; more than the window is an error of the stream", () => {
    const driven = drivenConnection();
    driven.send(open(1), open(3));
    const read = [...Array(20).keys()].flatMap(() => driven.words(driven.send(data(1, message(Buffer.alloc(16_000))))));
    expect(read.filter((words) => words.startsWith("window 1 "))).toHaveLength(2);
    driven.calls[1]?.sink.pause();
    const over = [...Array(17).keys()].flatMap(() => driven.words(driven.send(data(3, message(Buffer.alloc(16_000))))));
    expect(over).toEqual(["reset 3 3"]);
    expect(driven.calls[1]?.events.at(-1)).toBe("closed");
  });
});

describe("draining", () => {
  test("two steps: announced, then the last stream when the PING is answered; closed when it has ended", () => {
    const driven = drivenConnection();
    driven.send(open(1));
    driven.connection.drain();
    expect(driven.words(driven.heard())).toEqual(["goaway 2147483647 0", "ping draining"]);
    // Has crossed the announcement: it is served.
    driven.send(open(3));
    expect(driven.words(driven.send(frame(types.ping, flags.ack, 0, Buffer.from("draining"))))).toEqual(["goaway 3 0"]);
    // Has not: nobody answers it, and the peer knows why. Its header block counts all the same.
    expect(driven.send(open(5), data(5, message("late")))).toEqual([]);
    expect(driven.calls).toHaveLength(2);
    driven.calls[0]?.sink.end();
    driven.heard();
    expect(driven.ended()).toBe(false);
    driven.send(reset(3));
    expect(driven.ended()).toBe(true);
  });

  test("a peer that answers no PING is not waited for", () => {
    const driven = drivenConnection();
    driven.connection.drain();
    driven.connection.drain();
    driven.connection.endDrainWait();
    expect(driven.words(driven.heard())).toEqual(["goaway 2147483647 0", "ping draining", "goaway 0 0"]);
    expect(driven.ended()).toBe(true);
  });
});

describe("frames on streams that are not the peer's to use", () => {
  test.for<[string, Buffer]>([
    ["DATA", data(2, message("for another"))],
    ["RST_STREAM", reset(2)],
    ["WINDOW_UPDATE", windowUpdate(2, 1)],
  ])("%s with an even id ends the connection, and the stream with the next id hears nothing of it", ([, bytes]) => {
    const driven = drivenConnection();
    driven.send(open(3));
    expect(driven.words(driven.send(bytes))).toEqual([expect.stringMatching(/^goaway 3 1 .* on a stream that is not open/)]);
    expect(driven.calls[0]?.events).toEqual(["closed"]);
  });

  test("more of a body than its content-length says is not handed on", () => {
    const driven = drivenConnection();
    const body = message("whole");
    driven.send(headers(1, [...grpcRequest(), ["content-length", String(body.length)]]), data(1, body));
    expect(driven.words(driven.send(data(1, body)))).toEqual(["reset 1 1"]);
    expect(driven.calls[0]?.events).toEqual(["message whole", "closed"]);
  });
});

describe("gRPC", () => {
  const refused = (driven: ReturnType<typeof drivenConnection>, ...bytes: readonly Buffer[]): string =>
    driven.words(driven.send(...bytes)).join(" | ");

  test("messages may come in any pieces, and several at once", () => {
    const driven = drivenConnection();
    driven.send(open(1));
    const bytes = Buffer.concat([message("one"), message(""), message("two"), message("x".repeat(100))]);
    for (const piece of cut(bytes, 3)) driven.send(data(1, piece));
    driven.send(data(1, bytes, flags.endStream));
    const all = ["message one", "message ", "message two", "message of 100 bytes"];
    expect(driven.calls[0]?.events).toEqual([...all, ...all, "half-closed"]);
  });

  test.for<[string, Buffer, string]>([
    ["compressed without a word", Buffer.concat([Buffer.of(1), message("abc").subarray(1)]), "grpc-status=13"],
    ["no message", Buffer.concat([Buffer.of(7), message("abc").subarray(1)]), "grpc-status=13"],
    ["larger than allowed", Buffer.concat([Buffer.of(0), uint32(1024 * 1024 + 1)]), "grpc-status=8"],
  ])("a message that is %s ends the stream, with headers and status in one frame", ([, bytes, status]) => {
    const driven = drivenConnection();
    const words = refused(driven, open(1), data(1, bytes));
    expect(words).toMatch(new RegExp(`^headers 1 :status=200 content-type=application/grpc ${status} grpc-message=.*, end$`));
    expect(driven.calls[0]?.events).toEqual(["closed"]);
  });

  test("an end within a message is no end", () => {
    const driven = drivenConnection();
    expect(refused(driven, open(1), data(1, message("abc").subarray(0, 6), flags.endStream))).toContain("grpc-status=13");
    expect(driven.calls[0]?.events).toEqual(["closed"]);
  });

  test("what a compression is announced for is not opened", () => {
    const driven = drivenConnection();
    expect(refused(driven, headers(1, grpcRequest(undefined, [["grpc-encoding", "gzip"]])))).toContain("grpc-status=12");
    expect(driven.calls).toEqual([]);
  });

  test("an unknown method is UNIMPLEMENTED", () => {
    expect(refused(drivenConnection(), headers(1, grpcRequest("/some.Service/Method")))).toContain("grpc-status=12");
  });

  test.for<[string, Fields, string]>([
    [
      "GET",
      [
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/"],
      ],
      ":status=405",
    ],
    [
      "POST of JSON",
      [
        [":method", "POST"],
        [":scheme", "http"],
        [":path", "/"],
        ["content-type", "application/json"],
      ],
      ":status=415",
    ],
    [
      "gRPC-web",
      [
        [":method", "POST"],
        [":scheme", "http"],
        [":path", "/"],
        ["content-type", "application/grpc-web"],
      ],
      ":status=415",
    ],
  ])("%s is answered in plain words", ([, fields, status]) => {
    const words = refused(drivenConnection(), headers(1, fields, flags.endStream));
    expect(words).toContain(status);
    expect(words).toMatch(/data 1 .*, end$/);
  });

  test("health follows the engine; nothing asked, and something unknown asked, are failures", () => {
    let serving = true;
    const driven = drivenConnection({ serving: () => serving });
    const ask = (id: number, bytes: Buffer): string => refused(driven, headers(id, grpcRequest("/grpc.health.v1.Health/Check")), bytes);
    expect(ask(1, data(1, message(Buffer.of()), flags.endStream))).toContain('\\u0002\\b\\u0001" | headers 1 grpc-status=0, end');
    serving = false;
    expect(ask(3, data(3, message(Buffer.of()), flags.endStream))).toContain('\\u0002\\b\\u0002" | headers 3 grpc-status=0, end');
    expect(ask(5, data(5, message(Buffer.from("\n\u0005other")), flags.endStream))).toContain("grpc-status=5");
    expect(ask(7, data(7, message(Buffer.of(0x0a, 0x99)), flags.endStream))).toContain("grpc-status=13");
    expect(ask(9, data(9, Buffer.of(), flags.endStream))).toContain("grpc-status=13");
  });

  test("metadata: absent, plain, sent twice, UTF-8, base64", () => {
    const driven = drivenConnection();
    const more: Fields = [
      ["x-route", "r:größe"],
      ["x-twice", "a"],
      ["x-twice", "b"],
      ["x-bin", Buffer.from("ü").toString("base64")],
    ];
    driven.send(headers(1, grpcRequest(undefined, more)));
    expect(["x-route", "x-twice", "x-bin", "x-none"].map((key) => driven.calls[0]?.metadata(key))).toEqual([
      "r:größe",
      "a, b",
      "ü",
      undefined,
    ]);
  });
});

test("the first bytes may come one by one", () => {
  const driven = drivenConnection({ begin: "new", message: answer("yes") });
  const frames = [...Buffer.concat([preface, settings(), open(1), data(1, message("ask"))])].flatMap((byte) =>
    driven.send(Buffer.of(byte)),
  );
  expect(driven.words(frames)).toHaveLength(6);
});

test("a header block in pieces is one", () => {
  const driven = drivenConnection();
  const block = literals(grpcRequest(undefined, [["x-route", "r:pets"]]));
  const [first = Buffer.of(), ...others] = cut(block, 50);
  const pieces = others.map((piece, index) => frame(types.continuation, index === others.length - 1 ? flags.endHeaders : 0, 1, piece));
  driven.send(frame(types.headers, flags.none, 1, first), ...pieces);
  expect(driven.calls[0]?.metadata("x-route")).toBe("r:pets");
});

function cut(bytes: Buffer, size: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}
