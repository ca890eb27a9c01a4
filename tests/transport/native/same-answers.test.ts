/** However a conversation is cut into frames, pieces and forms of fields: what the kernel is told and what the client hears stay the same. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { HpackDecoder } from "../../../src/transport/native/hpack/hpack-decoder.ts";
import { defaultLimits } from "../../../src/transport/native/limits.ts";
import { drivenConnection, tables } from "./driven-connection.ts";
import { data, type Fields, flags, frame, grpcRequest, headers, message, preface, settings, types } from "./frames.ts";
import { type Choose, createFormsEncoder } from "./hpack-forms.ts";

type Saying =
  | { readonly kind: "opens"; readonly fields: Fields }
  | { readonly kind: "says"; readonly on: number; readonly content: Buffer }
  | { readonly kind: "ends"; readonly on: number; readonly how: "flag" | "trailers" };

const told = "x-told";
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("r:a", "r:b", "r:c") },
  fc.string({ maxLength: 300 }).map((text) => text.replace(/[\r\n\0]/g, "").trim()),
);
const saying: fc.Arbitrary<Saying> = fc.oneof(
  fc.array(value, { maxLength: 2 }).map((values) => ({
    kind: "opens" as const,
    fields: grpcRequest(
      undefined,
      values.map((one) => [told, one] as const),
    ),
  })),
  fc
    .record({
      on: fc.nat(3),
      content: fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constantFrom(new Uint8Array(), Buffer.alloc(9_000, "m"))),
    })
    .map(({ on, content }) => ({ kind: "says" as const, on, content: Buffer.from(content) })),
  fc.record({ kind: fc.constant("ends" as const), on: fc.nat(3), how: fc.constantFrom("flag" as const, "trailers" as const) }),
);

/** Sends what is said, as `write` writes it; streams are named by how many came after them, and one that has ended says nothing more. */
function conversation(sayings: readonly Saying[], write: Writer): readonly Buffer[] {
  let last = -1;
  const ended = new Set<number>();
  return sayings.flatMap((one) => {
    if (one.kind === "opens") {
      last += 2;
      return write.opens(last, one.fields);
    }
    const id = last - 2 * one.on;
    if (id < 1 || ended.has(id)) return [];
    if (one.kind === "says") return write.says(id, message(one.content));
    ended.add(id);
    return write.ends(id, one.how);
  });
}

interface Writer {
  opens(id: number, fields: Fields): readonly Buffer[];
  says(id: number, body: Buffer): readonly Buffer[];
  ends(id: number, how: "flag" | "trailers"): readonly Buffer[];
}

const trailers: Fields = [["x-trailer", "v"]];

const plain: Writer = {
  opens: (id, fields) => [headers(id, fields)],
  says: (id, body) => [data(id, body)],
  ends: (id, how) => [how === "flag" ? data(id, Buffer.of(), flags.endStream) : headers(id, trailers, flags.endStream)],
};

/** All that RFC 9113 leaves to a client. */
function fancy(choose: Choose): Writer {
  const encode = createFormsEncoder(choose);
  const between = (): readonly Buffer[] => {
    switch (choose(12)) {
      case 0:
        return [frame(types.ping, flags.none, 0, Buffer.alloc(8))];
      case 1:
        return [frame(0xbe, 0xff, 1 + 2 * choose(9), Buffer.alloc(choose(30)))];
      case 2:
        return [frame(types.priority, flags.none, 1 + 2 * choose(9), Buffer.alloc(5))];
      case 3:
        return [settings([choose(2) === 0 ? 6 : 0xf000, choose(1000)])];
      default:
        return [];
    }
  };
  const padded = (type: number, has: number, id: number, payload: Buffer): Buffer => {
    if (choose(3) > 0) return frame(type, has, id, payload);
    const padding = choose(20);
    return frame(type, has | flags.padded, id, Buffer.concat([Buffer.of(padding), payload, Buffer.alloc(padding)]));
  };
  const pieces = (bytes: Buffer): readonly Buffer[] => {
    const cuts = Array.from({ length: choose(4) }, () => choose(bytes.length + 1)).sort((one, other) => one - other);
    return [...cuts, bytes.length].map((end, index) => bytes.subarray(cuts[index - 1] ?? 0, end));
  };
  const block = (id: number, has: number, fields: Fields): readonly Buffer[] => {
    const parts = pieces(encode(fields));
    return parts.map((part, index) => {
      const end = index === parts.length - 1 ? flags.endHeaders : flags.none;
      if (index > 0) return frame(types.continuation, end, id, part);
      const priority = choose(4) === 0;
      return padded(
        types.headers,
        has | end | (priority ? flags.priority : 0),
        id,
        priority ? Buffer.concat([Buffer.alloc(5), part]) : part,
      );
    });
  };
  return {
    opens: (id, fields) => [...between(), ...block(id, flags.none, fields)],
    says: (id, body) => pieces(body).flatMap((piece) => [...between(), padded(types.data, flags.none, id, piece)]),
    ends: (id, how) => [
      ...between(),
      ...(how === "flag" ? [padded(types.data, flags.endStream, id, Buffer.of())] : block(id, flags.endStream, trailers)),
    ],
  };
}

/** What the kernel is told of each stream, and what the client hears on each. */
function outcome(sent: readonly Buffer[], cut: (left: number) => number) {
  const driven = drivenConnection({
    begin: "new",
    message: (bytes, { sink }) => (bytes.length % 7 === 6 ? sink.sendAndEnd(bytes) : void sink.send(bytes)),
  });
  const hpack = new HpackDecoder(tables, defaultLimits);
  const heard = new Map<number, { fields: string[]; body: Buffer; end: boolean }>();
  const all = Buffer.concat([preface, settings([4, 2 ** 31 - 1]), frame(types.windowUpdate, 0, 0, Buffer.of(0x7f, 0, 0, 0)), ...sent]);
  let at = 0;
  while (at < all.length) {
    const end = Math.min(all.length, at + cut(all.length - at));
    for (const { type, flags: has, streamId, payload } of driven.send(Buffer.from(all.subarray(at, end)))) {
      if (type !== types.data && type !== types.headers) continue;
      const stream = heard.get(streamId) ?? { fields: [], body: Buffer.of(), end: false };
      heard.set(streamId, stream);
      if (type === types.data) stream.body = Buffer.concat([stream.body, payload]);
      else {
        const fields = hpack.decode(payload, 0, payload.length);
        if (fields === "too-large") throw new Error("header fields that are too many");
        stream.fields.push(...fields.map(({ name, value: text }) => `${name}=${text}`));
      }
      stream.end ||= (has & flags.endStream) !== 0;
    }
    at = end;
  }
  expect(driven.ended()).toBe(false);
  return {
    calls: driven.calls.map(({ events, metadata }) => ({ told: metadata(told), events })),
    heard: [...heard].sort(([one], [other]) => one - other),
  };
}

function toldBy(fields: Fields): string | undefined {
  const values = fields.filter(([name]) => name === told).map(([, text]) => text);
  return values.length === 0 ? undefined : values.join(", ");
}

test("are the same however it is written", () => {
  const choices = fc.infiniteStream(fc.nat(2 ** 30));
  let streams = 0;
  fc.assert(
    fc.property(fc.array(saying, { minLength: 2, maxLength: 25, size: "max" }), choices, (sayings, numbers) => {
      const choose: Choose = (below) => numbers.next().value % below;
      streams += sayings.filter(({ kind }) => kind === "opens").length;
      const expected = outcome(conversation(sayings, plain), (left) => left);
      expect(expected.calls.map(({ told: text }) => text)).toEqual(
        sayings.flatMap((one) => (one.kind === "opens" ? [toldBy(one.fields)] : [])),
      );
      expect(outcome(conversation(sayings, fancy(choose)), () => 1 + choose(choose(3) === 0 ? 12 : 3_000))).toEqual(expected);
    }),
    { seed: 29, numRuns: 1_000 },
  );
  expect(streams).toBeGreaterThan(3_000);
});
