/** What all connections of a transport keep together. */
import { describe, expect, test } from "vitest";
import { Memory, streamBytes } from "../../../src/transport/native/http2/memory.ts";
import { type DrivenConnection, drivenConnection, messageBytesMax } from "./driven-connection.ts";
import { data, flags, frame, grpcRequest, headers, literals, message, reset, settings, types, uint32 } from "./frames.ts";

const request = grpcRequest();
const requestBytes = streamBytes + 2 * request.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);

const connectionsMax = 4;
const smallMemory = (): Memory => new Memory({ allStreamsMax: 20, allMessagesMax: 0, connectionsMax }, messageBytesMax);
const bytesMax = smallMemory().bytesMax;

/** Opens streams until it has sent so many, and returns how many were not refused. */
function opens(driven: DrivenConnection, count: number, firstId = 1): number {
  const ids = Array.from({ length: count }, (_, nth) => firstId + 2 * nth);
  const frames = driven.send(...ids.map((id) => headers(id, request)));
  return count - driven.words(frames).filter((word) => word.startsWith("reset")).length;
}

describe("what one peer takes of it", () => {
  test("is all that there is, when nobody else wants it", () => {
    const driven = drivenConnection({ memory: smallMemory() });
    expect(opens(driven, 100)).toBe(Math.floor(bytesMax / requestBytes) + 1);
  });

  test("is no more than an even share, when all is taken; who has less still gets that", () => {
    const memory = smallMemory();
    const [greedy, modest] = [drivenConnection({ memory }), drivenConnection({ memory })];
    const taken = opens(greedy, 100);
    expect(opens(modest, 100)).toBe(Math.floor(bytesMax / connectionsMax / requestBytes) + 1);
    expect(opens(greedy, 10, 1001)).toBe(0);
    for (let nth = 0; nth < taken; nth++) greedy.send(reset(2 * nth + 1));
    expect(opens(modest, 100, 1001)).toBeGreaterThan(10);
  });

  test("stays below twice the bound, however many peers there are", () => {
    const memory = smallMemory();
    for (let nth = 0; nth < connectionsMax; nth++) opens(drivenConnection({ memory }), 100);
    expect(memory.bytes).toBeLessThan(2 * bytesMax + connectionsMax * requestBytes);
  });
});

test.for<readonly [what: string, act: (driven: DrivenConnection) => void, bytes: number]>([
  ["a stream", () => {}, requestBytes],
  [
    "the fields of a request",
    (driven) => driven.send(headers(3, [...request, ["x-long", "a".repeat(10_000)]])),
    2 * requestBytes + 2 * (6 + 10_000 + 32),
  ],
  [
    "a message that is not whole",
    (driven) => driven.send(data(1, message(Buffer.alloc(10_000)).subarray(0, 6_000))),
    requestBytes + 10_005,
  ],
  [
    "an answer without a window",
    (driven) => {
      driven.send(settings([4, 0]), headers(3, request));
      driven.calls[1]?.sink.send(Buffer.alloc(10_000));
      driven.heard();
    },
    2 * requestBytes + 10_005,
  ],
  [
    "what was written and is not taken",
    (driven) => {
      driven.untaken(50_000);
      driven.calls[0]?.sink.send(Buffer.from("answer"));
      driven.heard();
    },
    requestBytes + 50_000,
  ],
])("%s is counted, and given back", ([, act, bytes]) => {
  const driven = drivenConnection();
  const { memory, connection } = driven;
  driven.send(headers(1, request));
  act(driven);
  expect(memory.bytes).toBe(bytes);
  driven.untaken(0);
  connection.writable();
  driven.send(reset(1), reset(3));
  expect(memory.bytes).toBe(0);
});

test("what a connection had is given back once when it is lost, whatever its socket still says", () => {
  const driven = drivenConnection();
  driven.untaken(50_000);
  opens(driven, 3);
  driven.send(settings());
  expect(driven.memory.bytes).toBe(3 * requestBytes + 50_000);
  driven.connection.lost();
  driven.connection.writable();
  expect(driven.memory.bytes).toBe(0);
});

describe("a connection that has more than its share", () => {
  const full = (): DrivenConnection => {
    const driven = drivenConnection({ memory: smallMemory() });
    opens(driven, 100);
    return driven;
  };

  test("gets no room for a message that is not whole: its stream fails", () => {
    const driven = full();
    const frames = driven.send(data(1, Buffer.concat([Buffer.of(0), uint32(10_000), Buffer.alloc(5_000)])));
    expect(driven.words(frames)).toEqual([
      expect.stringMatching(
        /^headers 1 :status=200 content-type=application\/grpc grpc-status=8 grpc-message=this connection has too much/,
      ),
    ]);
  });

  test("is cut off when more answers wait", () => {
    const driven = full();
    driven.send(settings([4, 0]));
    driven.calls[0]?.sink.send(Buffer.alloc(20_000));
    expect(driven.words(driven.heard())).toEqual([
      "headers 1 :status=200 content-type=application/grpc",
      expect.stringMatching(/^goaway \d+ 11 answers are not taken/),
    ]);
  });

  test("is cut off when more is written that it does not take", () => {
    const driven = full();
    driven.untaken(300_000);
    const frames = driven.send(data(1, message("question")), frame(types.ping, flags.none, 0, Buffer.from("are you?")));
    expect(driven.words(frames).at(-1)).toMatch(/^goaway \d+ 11 answers are not taken/);
  });
});

test("fields by index are counted as often as they are referred to", () => {
  const driven = drivenConnection();
  driven.send(headers(1, request));
  const once = driven.memory.bytes;
  driven.send(headers(3, request));
  expect(driven.memory.bytes).toBe(2 * once);
  expect(literals(request).length).toBeLessThan(once);
});
