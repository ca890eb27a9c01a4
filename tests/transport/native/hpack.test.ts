/** HPACK against nghttp2, which is inside Node: what it writes is read, and what is written it reads. */
import { once } from "node:events";
import { connect } from "node:http2";
import { Duplex } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HpackDecoder, HpackError } from "../../../src/transport/native/hpack/hpack-decoder.ts";
import { HpackEncoder, type SentField } from "../../../src/transport/native/hpack/hpack-encoder.ts";
import { symbolsByCodeBits } from "../../../src/transport/native/hpack/huffman-code.ts";
import { HuffmanDecoder } from "../../../src/transport/native/hpack/huffman-decoder.ts";
import { defaultLimits } from "../../../src/transport/native/limits.ts";
import { tables } from "./driven-connection.ts";
import { type Fields, integer, literals, readFrames, settings, text, types } from "./frames.ts";

type List = readonly (readonly [string, string])[];

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/).filter((text) => !["te", "connection", "upgrade", "host"].includes(text));
/** All octets that a value may have; latin1, which is how Node takes them. */
const value = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 80 })
  .map((text) => text.trim());
const fieldList = fc.array(fc.tuple(name, value), { maxLength: 20 });

describe("reading", () => {
  test("whatever nghttp2 encodes on one connection is decoded to what was sent, with Huffman and a table that forgets", async () => {
    const lists = fc.sample(fieldList, { seed: 7, numRuns: 400 }).map(withoutRepeats);
    const blocks = await encodedByNghttp2(lists);
    const decoder = new HpackDecoder(tables, defaultLimits);
    expect(blocks.map((block) => regular(decoder.decode(block, 0, block.length)))).toEqual(lists);
  });

  test("a block that has come before means what the table says now, not what it said then", () => {
    const added = fc.constantFrom("1", "2", "3").map((value) => ({ kind: "add" as const, value }));
    const referred = fc.nat(1).map((index) => ({ kind: "refer" as const, index }));
    fc.assert(
      fc.property(fc.array(fc.oneof(added, referred, fc.constant({ kind: "forget" as const })), { maxLength: 60 }), (blocks) => {
        const decoder = new HpackDecoder(tables, defaultLimits);
        const decode = (block: Buffer): List => regular(decoder.decode(block, 0, block.length));
        let table: string[] = [];
        for (const block of blocks) {
          if (block.kind === "add") {
            expect(decode(Buffer.concat([Buffer.of(0x40), text("x-name"), text(block.value)]))).toEqual([["x-name", block.value]]);
            table = [block.value, ...table];
          } else if (block.kind === "forget") {
            expect(decode(Buffer.concat([integer(0x20, 0x1f, 0), integer(0x20, 0x1f, 4096)]))).toEqual([]);
            table = [];
          } else if (block.index < table.length) {
            expect(decode(Buffer.of(0x80 + 62 + block.index))).toEqual([["x-name", table[block.index]]]);
          } else {
            // It ends the connection.
            expect(() => decode(Buffer.of(0x80 + 62 + block.index))).toThrow(HpackError);
            return;
          }
        }
      }),
      { seed: 9, numRuns: 500 },
    );
  });

  test("every octet that a value may have survives Huffman", async () => {
    const octets = Array.from({ length: 256 }, (_, code) => code).filter((code) => (code >= 0x20 && code !== 0x7f) || code === 9);
    const lists = octets.map((code): List => [["x-octet", `a${String.fromCharCode(code).repeat(3)}a`]]);
    const blocks = await encodedByNghttp2(lists);
    const decoder = new HpackDecoder(tables, defaultLimits);
    const decoded = blocks.map((block) => decoder.decode(block, 0, block.length));
    expect(decoded.map((fields) => regular(fields)[0]?.[1])).toEqual(
      lists.map(([field]) => Buffer.from(field?.[1] ?? "", "latin1").toString("utf8")),
    );
  });

  test.for<[string, Buffer]>([
    ["an index of nothing", Buffer.of(0x80)],
    ["an index behind the table", integer(0x80, 0x7f, 62)],
    ["a name by such an index", Buffer.concat([integer(0x40, 0x3f, 70), text("value")])],
    ["an integer without an end", Buffer.of(0xff, 0xff)],
    ["an integer that is too large", Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x01)],
    ["a string that ends behind the block", Buffer.of(0x00, 0x05, 0x61)],
    ["a block that ends before a string", Buffer.of(0x00, 0x01, 0x61)],
    ["a table larger than allowed", integer(0x20, 0x1f, 4097)],
    ["a change of the table's size behind a field", Buffer.of(0x82, 0x20)],
    ["Huffman padded with zeros", Buffer.of(0x00, 0x81, 0b00011_000, 0x00)],
    ["Huffman padded with eight ones", Buffer.of(0x00, 0x82, 0b00011_111, 0xff, 0x00)],
    ["Huffman with the end of the string in it", Buffer.of(0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00)],
  ])("%s is an error", ([, block]) => {
    expect(() => new HpackDecoder(tables, defaultLimits).decode(block, 0, block.length)).toThrow(HpackError);
  });

  test("the table forgets the oldest, and a size of 0 everything", () => {
    const decoder = new HpackDecoder(tables, { ...defaultLimits, headerTableBytesMax: 80 });
    const decode = (block: Buffer): List => regular(decoder.decode(block, 0, block.length));
    const keep = (key: string): Buffer => Buffer.concat([Buffer.of(0x40), text(key), text("v")]);
    decode(Buffer.concat([keep("a"), keep("b"), keep("c")]));
    // 34 octets each: the two newest are there.
    expect(decode(Buffer.concat([integer(0x80, 0x7f, 62), integer(0x80, 0x7f, 63)]))).toEqual([
      ["c", "v"],
      ["b", "v"],
    ]);
    expect(() => decode(integer(0x80, 0x7f, 64))).toThrow(HpackError);
    expect(() => decode(Buffer.concat([Buffer.of(0x20), integer(0x80, 0x7f, 62)]))).toThrow(HpackError);
  });

  test("a list that is too large is read to its end, and the table keeps what it was told to keep", () => {
    const decoder = new HpackDecoder(tables, { ...defaultLimits, headerListBytesMax: 200 });
    const kept = Buffer.concat([Buffer.of(0x40), text("kept"), text("v")]);
    const block = Buffer.concat([
      literals([
        ["x", "y".repeat(200)],
        ["z", ""],
      ]),
      kept,
    ]);
    expect(decoder.decode(block, 0, block.length)).toBe("too-large");
    expect(regular(decoder.decode(integer(0x80, 0x7f, 62), 0, 1))).toEqual([["kept", "v"]]);
  });

  test("more fields than allowed are too many, however small", () => {
    const decoder = new HpackDecoder(tables, { ...defaultLimits, headerCountMax: 10 });
    expect(decoder.decode(Buffer.alloc(10, 0x82), 0, 10)).toHaveLength(10);
    expect(decoder.decode(Buffer.alloc(11, 0x82), 0, 11)).toBe("too-large");
  });

  test("a field of two octets costs the same, however long the name is that it refers to", () => {
    const decoder = new HpackDecoder(tables, defaultLimits);
    const named = (nameBytes: number): Buffer => Buffer.concat([Buffer.of(0x40), text("a".repeat(nameBytes)), text("")]);
    /** Each refers to the name of the one before, and has no value. */
    const references = Buffer.alloc(64_000, Buffer.of(0x7e, 0x00));
    const decodedMs = (nameBytes: number): number => {
      const block = Buffer.concat([named(nameBytes), references]);
      const started = performance.now();
      decoder.decode(block, 0, block.length);
      return performance.now() - started;
    };
    const rounds = Array.from({ length: 9 }, () => [decodedMs(4_000), decodedMs(10)] as const);
    const quickest = (which: 0 | 1): number => Math.min(...rounds.map((round) => round[which]));
    // Looked at again each time, it was about 50 times as much.
    expect(quickest(0)).toBeLessThan(10 * quickest(1));
  });

  test("random bytes are fields or an error, nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const block = Buffer.from(bytes);
        try {
          new HpackDecoder(tables, defaultLimits).decode(block, 0, block.length);
        } catch (error) {
          expect(error).toBeInstanceOf(HpackError);
        }
      }),
      { seed: 3, numRuns: 5_000 },
    );
  });
});

describe("the Huffman code", () => {
  test("has each of 257 symbols once, and its lengths fill the tree (Kraft)", () => {
    const symbols = symbolsByCodeBits.flatMap(([, some]) => some);
    expect([...symbols].sort((a, b) => a - b)).toEqual(Array.from({ length: 257 }, (_, code) => code));
    expect(symbolsByCodeBits.reduce((sum, [bits, some]) => sum + some.length * 2 ** (30 - bits), 0)).toBe(2 ** 30);
  });

  test("the examples of RFC 7541, C.4 and C.6", () => {
    const decode = (hex: string): string => {
      const bytes = Buffer.from(hex, "hex");
      const target = Buffer.alloc(64);
      const length = new HuffmanDecoder().decode(bytes, 0, bytes.length, target);
      return length < 0 ? "no code" : target.toString("latin1", 0, length);
    };
    expect(decode("f1e3c2e5f23a6ba0ab90f4ff")).toBe("www.example.com");
    expect(decode("d07abe941054d444a8200595040b8166e082a62d1bff")).toBe("Mon, 21 Oct 2013 20:13:21 GMT");
  });
});

describe("writing", () => {
  test("what is written is what our own reader and RFC 7541 read, and constants take an octet from the second time on", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(tables, defaultLimits);
    const constant: SentField = { name: "content-type", value: "application/grpc", form: "indexed" };
    const other: SentField = { name: "grpc-status", value: "0", form: "indexed" };
    const write = (...fields: readonly SentField[]): Buffer => {
      const target = Buffer.alloc(encoder.bytesMax(fields));
      return target.subarray(0, encoder.write(target, 0, fields));
    };
    const read = (block: Buffer): List => regular(decoder.decode(block, 0, block.length));
    expect(read(write(constant, other))).toEqual([
      ["content-type", "application/grpc"],
      ["grpc-status", "0"],
    ]);
    const again = write(other, constant, { name: "x", value: "ü".repeat(200), form: "literal" });
    expect([...again.subarray(0, 2)]).toEqual([0x80 | 62, 0x80 | 63]);
    expect(read(again)).toEqual([
      ["grpc-status", "0"],
      ["content-type", "application/grpc"],
      ["x", "ü".repeat(200)],
    ]);
    encoder.tableSizeAllowed(100);
    expect(read(write(constant))).toEqual([["content-type", "application/grpc"]]);
    expect(write(constant)).toHaveLength(31);
  });
});

/** Header blocks as Node's client sends them, in order. */
async function encodedByNghttp2(lists: readonly List[]): Promise<readonly Buffer[]> {
  const sent: Buffer[] = [];
  const socket = new Duplex({
    read: () => {},
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk);
      done();
    },
  });
  const session = connect("http://engine", { createConnection: () => socket });
  session.on("error", () => {});
  socket.push(settings([3, 1_000]));
  await once(session, "remoteSettings");
  for (const list of lists) {
    const stream = session.request({ ":path": "/", ...Object.fromEntries(list) }, { endStream: true });
    stream.on("error", () => {});
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { frames } = readFrames(Buffer.concat(sent).subarray(24));
  session.destroy();
  socket.destroy();
  return frames.filter(({ type }) => type === types.headers).map(({ payload, flags }) => (flags & 0x20 ? payload.subarray(5) : payload));
}

/** Node sends an object: the last of several values. */
function withoutRepeats(list: Fields): List {
  return Object.entries(Object.fromEntries(list));
}

function regular(fields: ReturnType<HpackDecoder["decode"]>): List {
  if (fields === "too-large") return [["too-large", ""]];
  return fields.filter(({ name: key }) => !key.startsWith(":")).map(({ name: key, value: text }) => [key, text]);
}
