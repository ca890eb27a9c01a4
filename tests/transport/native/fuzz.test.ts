/**
 * Frames, header blocks and messages that nobody would send, in an order that nobody would choose, cut anywhere; and a kernel that does
 * what it may at any moment. Whatever comes, the rules of what goes out hold, and nothing is left. The seed is fixed; a case that was found
 * once is kept in `corpus/`, as what a client sends, in hex.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageReader } from "../../../src/transport/native/grpc/message-reader.ts";
import { FrameReader } from "../../../src/transport/native/http2/frame-reader.ts";
import { type Call, drivenConnection } from "./driven-connection.ts";
import {
  data,
  flags,
  frame,
  grpcRequest,
  headers,
  literals,
  message,
  preface,
  readFrames,
  reset,
  settings,
  types,
  uint32,
  windowUpdate,
} from "./frames.ts";
import { createOutputRules } from "./output-rules.ts";

/** Mostly one of the last streams that were opened, by how many came after it. */
const back = fc.oneof({ weight: 60, arbitrary: fc.nat({ max: 4 }) }, { weight: 1, arbitrary: fc.constantFrom(-1, -2, 1_000) });
const anyFlags = fc.oneof(
  { weight: 30, arbitrary: fc.nat({ max: 7 }).map((nth) => (nth === 0 ? flags.endStream : flags.none)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
);
const bytes = fc.uint8Array({ maxLength: 60 }).map((some) => Buffer.from(some));
const size = fc.constantFrom(0, 1, 5, 300, 20_000);
const increment = fc.constantFrom(1, 1, 100, 65_535, 0, 2 ** 31 - 1);

/** What a client sends on a stream; a request is a new one. */
interface Piece {
  readonly on: "new" | number;
  readonly bytes: (streamId: number) => Buffer;
}

const onOne = <T>(what: fc.Arbitrary<T>, bytesOf: (streamId: number, what: T) => Buffer): fc.Arbitrary<Piece> =>
  fc.tuple(back, what).map(([on, value]) => ({ on, bytes: (streamId) => bytesOf(streamId, value) }));
const onNone = (arbitrary: fc.Arbitrary<Buffer>): fc.Arbitrary<Piece> => arbitrary.map((some) => ({ on: 0, bytes: () => some }));

const fieldName = fc.constantFrom(":path", ":method", "te", "content-length", "X", "x", ":nothing");
const setting = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.constantFrom(0, 1, 100, 16_384, 65_535));
const pieces: Readonly<Record<string, readonly [weight: number, piece: fc.Arbitrary<Piece>]>> = {
  request: [12, anyFlags.map((has) => ({ on: "new", bytes: (id) => headers(id, grpcRequest(), has) }))],
  message: [
    12,
    onOne(fc.tuple(anyFlags, size), (id, [has, length]) => data(id, message(Buffer.alloc(Math.min(length, 16_000), "m")), has)),
  ],
  "half a message": [4, onOne(anyFlags, (id, has) => data(id, message(Buffer.alloc(30)).subarray(0, 20), has))],
  reset: [3, onOne(fc.integer({ min: 0, max: 15 }), (id, code) => reset(id, code))],
  window: [3, onOne(increment, (id, by) => windowUpdate(id, by))],
  "window of the connection": [2, onNone(increment.map((by) => windowUpdate(0, by)))],
  settings: [4, onNone(fc.array(setting, { maxLength: 3 }).map((values) => settings(...values)))],
  ping: [2, onNone(fc.constantFrom(flags.none, flags.ack).map((has) => frame(types.ping, has, 0, Buffer.from("draining"))))],
  "request in pieces": [
    4,
    fc.nat({ max: 100 }).map((at) => ({
      on: "new",
      bytes: (id) => {
        const block = literals(grpcRequest());
        return Buffer.concat([
          frame(types.headers, flags.none, id, block.subarray(0, at)),
          frame(types.continuation, flags.endHeaders, id, block.subarray(at)),
        ]);
      },
    })),
  ],
  "other request": [
    1,
    fc
      .array(fc.tuple(fieldName, fc.string({ maxLength: 5 })), { maxLength: 6 })
      .map((fields) => ({ on: "new", bytes: (id) => headers(id, [...grpcRequest(), ...fields]) })),
  ],
  trailers: [1, onOne(fieldName, (id, name) => headers(id, [[name, "5"]], flags.endStream))],
  "other data": [1, onOne(fc.tuple(anyFlags, bytes), (id, [has, some]) => data(id, some, has))],
  "header block": [1, onOne(fc.tuple(anyFlags, bytes), (id, [has, block]) => frame(types.headers, has, id, block))],
  "other frame": [
    1,
    onOne(fc.tuple(fc.integer({ min: 0, max: 12 }), anyFlags, bytes), (id, [type, has, payload]) => frame(type, has, id, payload)),
  ],
  noise: [1, onNone(bytes)],
};

type Act = "send" | "send-large" | "answer" | "end" | "fail" | "pause" | "resume" | "nothing";
const act = fc.constantFrom<Act>("send", "send-large", "answer", "end", "fail", "pause", "resume", "nothing");
const piece = fc.oneof(...Object.values(pieces).map(([weight, arbitrary]) => ({ weight, arbitrary })));
const step = fc.oneof(
  { weight: 30, arbitrary: piece.map((sent) => ({ kind: "sends" as const, sent })) },
  { weight: 10, arbitrary: fc.tuple(act, fc.nat({ max: 5 })).map(([does, nth]) => ({ kind: "kernel" as const, does, nth })) },
  { weight: 3, arbitrary: fc.constant({ kind: "unblocks" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "blocks" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "drains" as const }) },
);

const untakenBytes = 5000;

test("scripts of frames, acts of the kernel and of the socket", () => {
  const seen = { calls: 0, messages: 0, goodbyes: 0 };
  const scripts = fc.record({
    steps: fc.array(step, { minLength: 5, maxLength: 40, size: "max" }),
    onMessage: act,
    cut: fc.constantFrom(1, 7, 100, 100_000),
  });
  fc.assert(
    fc.property(scripts, ({ steps, onMessage, cut }) => {
      const driven = drivenConnection({
        limits: { streamWindowBytes: 30_000, streamsMax: 4, sendHighMarkBytes: 1000, writtenHighMarkBytes: 1000 },
        message: (_bytes, call) => perform(onMessage, call),
      });
      const rules = createOutputRules(driven);
      let lastId = 1;
      let begun: Buffer = Buffer.of();
      driven.send(headers(lastId, grpcRequest()));
      for (const one of steps) {
        switch (one.kind) {
          case "sends": {
            const { on, bytes: bytesOn } = one.sent;
            if (on === "new") lastId += 2;
            const sent = bytesOn(on === "new" ? lastId : Math.max(1, lastId - 2 * on));
            for (let at = 0; at < sent.length; at += cut) driven.connection.receive(sent.subarray(at, at + cut));
            rules.heard(driven.heard());
            // What was begun before may swallow it.
            const { frames, rest } = readFrames(Buffer.concat([begun, sent]));
            begun = rest;
            rules.sent(frames);
            break;
          }
          case "kernel": {
            const call = driven.calls[one.nth];
            if (call !== undefined) perform(one.does, call);
            break;
          }
          case "drains":
            driven.connection.drain();
            break;
          case "blocks":
            driven.untaken(untakenBytes);
            break;
          case "unblocks":
            driven.untaken(0);
            driven.connection.writable();
            break;
          default:
            return one satisfies never;
        }
        rules.heard(driven.heard());
        rules.kept(untakenBytes);
      }
      expect(rules.atEnd()).toEqual([]);
      const events = driven.calls.flatMap((call) => call.events);
      seen.calls += driven.calls.length;
      seen.messages += events.filter((event) => event.startsWith("message")).length;
      seen.goodbyes += driven.ended() ? 1 : 0;
    }),
    { seed: 11, numRuns: 4_000 },
  );
  // A fuzzer that is refused at the door finds nothing.
  expect(seen.calls).toBeGreaterThan(8_000);
  expect(seen.messages).toBeGreaterThan(2_000);
  expect(seen.goodbyes).toBeGreaterThan(1_000);
});

function perform(does: Act, { sink }: Call): void {
  switch (does) {
    case "send":
      sink.send(Buffer.from("some"));
      return;
    case "send-large":
      sink.send(Buffer.alloc(40_000));
      return;
    case "answer":
      sink.sendAndEnd(Buffer.from("answer"));
      return;
    case "end":
      sink.end();
      return;
    case "fail":
      sink.fail("internal", "because \u{1F600}");
      return;
    case "pause":
      sink.pause();
      return;
    case "resume":
      sink.resume();
      return;
    case "nothing":
      return;
    default:
      return does satisfies never;
  }
}

describe("the corpus", () => {
  const folder = join(import.meta.dirname, "corpus");
  const corpus = readdirSync(folder).map(
    (name) => [name, Buffer.from(readFileSync(join(folder, name), "utf8").replace(/#.*|\s/g, ""), "hex")] as const,
  );

  const replay = (sent: Buffer, cut: number): readonly string[] => {
    const driven = drivenConnection({ begin: "new", message: (some, { sink }) => sink.sendAndEnd(some) });
    const rules = createOutputRules(driven);
    for (let at = 0; at < sent.length; at += cut) {
      driven.connection.receive(sent.subarray(at, at + cut));
      rules.heard(driven.heard());
    }
    return rules.atEnd();
  };

  test.for(corpus)("%s, cut anywhere", ([, sent]) => {
    for (const cut of [1, 2, 10, 11, sent.length]) expect(replay(sent, cut)).toEqual([]);
  });

  test.for(corpus)("%s, with octets changed, lost and doubled", ([, sent]) => {
    const change = fc.record({
      at: fc.nat({ max: sent.length - 1 }),
      how: fc.constantFrom("changed", "lost", "doubled"),
      octet: fc.nat({ max: 255 }),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let changed = sent;
        for (const { at, how, octet } of changes) {
          const middle = how === "changed" ? Buffer.of(octet) : changed.subarray(at, how === "lost" ? at : at + 1);
          changed = Buffer.concat([changed.subarray(0, how === "doubled" ? at + 1 : at), middle, changed.subarray(at + 1)]);
        }
        expect(replay(changed, 100_000)).toEqual([]);
      }),
      { seed: 13, numRuns: 500 },
    );
  });
});

describe("pieces", () => {
  test("frames are the same however what carries them is cut", () => {
    const frames = fc.array(fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }), fc.nat({ max: 2 ** 31 - 1 }), bytes), { maxLength: 20 });
    fc.assert(
      fc.property(frames, fc.array(fc.nat({ max: 40 }), { maxLength: 60 }), (sent, cuts) => {
        const all = Buffer.concat([preface, ...sent.map((one) => frame(...one))]);
        const read: (typeof sent)[number][] = [];
        const reader = new FrameReader((type, has, id, some, start, end) =>
          read.push([type, has, id, Buffer.from(some.subarray(start, end))]),
        );
        let at = 0;
        for (const length of [...cuts, all.length]) {
          reader.read(all.subarray(at, at + length));
          at += length;
        }
        expect(read).toEqual(sent);
      }),
      { seed: 17, numRuns: 500 },
    );
  });

  test("messages are the same however what carries them is cut, kept or not", () => {
    const messages = fc.array(
      fc.integer({ min: 0, max: 60_000 }).map((length) => Buffer.alloc(length, length % 251)),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 20 }), (sent, cuts) => {
        const all = Buffer.concat(sent.map(message));
        const reader = new MessageReader(100_000);
        const read: unknown[] = [];
        for (let at = 0, nth = 0; at < all.length; nth++) {
          const end = Math.min(all.length, at + (cuts[nth % cuts.length] ?? 1));
          // The socket's own buffer is not good for longer than the call.
          const chunk = Buffer.from(all.subarray(at, end));
          reader.push(chunk, 0, chunk.length);
          for (let next = reader.next(); next !== undefined; next = reader.next())
            read.push(typeof next === "string" ? next : Buffer.from(next));
          reader.keep();
          chunk.fill(0xee);
          at = end;
        }
        expect(read).toEqual(sent);
        expect([reader.empty, reader.heldBytes]).toEqual([true, 0]);
      }),
      { seed: 19, numRuns: 200 },
    );
  });

  test("what nobody reads is not copied for each piece that comes behind it", () => {
    const reader = new MessageReader(1024);
    const piece = Buffer.concat([Buffer.of(0), uint32(11), Buffer.alloc(11, "m")]);
    let copied = 0;
    for (let nth = 0; nth < 16_000; nth++) {
      const held = reader.heldBytes;
      reader.push(piece, 0, piece.length);
      reader.keep();
      if (reader.heldBytes !== held) copied += nth * piece.length;
    }
    // For each piece, it was 2 GB.
    expect(copied).toBeLessThan(20 * 16_000 * piece.length);
    let read = 0;
    for (let next = reader.next(); next !== undefined; next = reader.next()) read += typeof next === "string" ? 0 : next.length;
    expect(read).toBe(16_000 * 11);
  });

  test("a small message does not keep the bytes that came with it", () => {
    const reader = new MessageReader(1024);
    const bytes = Buffer.concat([Buffer.of(0), uint32(3), Buffer.from("one"), Buffer.alloc(2 * Buffer.poolSize)]);
    reader.push(bytes, 0, 2);
    reader.keep();
    reader.push(bytes, 2, bytes.length);
    const message = reader.next();
    if (typeof message !== "object") throw new Error("no message");
    expect(message.toString()).toBe("one");
    expect(message.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
  });

  test("who announces a large message gets no memory for saying so", () => {
    const reader = new MessageReader(2 ** 30);
    reader.push(Buffer.concat([Buffer.of(0), uint32(2 ** 30), Buffer.alloc(100)]), 0, 105);
    expect(reader.next()).toBeUndefined();
    reader.keep();
    expect(reader.heldBytes).toBeLessThan(20_000);
  });
});
