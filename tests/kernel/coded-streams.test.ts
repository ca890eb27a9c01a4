/** Bodies with content codings that pass in pieces: the steps see them decoded, and what leaves is one body in the same codings. */
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import type { BodyTransform, PolicyInstance } from "@envoy-policy-engine/sdk";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProcessingMode_BodySendMode as BodyMode } from "../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { exchangeThroughKernel, type HeaderLine, type SimulatedExchange } from "../../src/testing/simulated-envoy.ts";
import { type EngineUnderTest, engineUnderTest } from "../conversations/engine-under-test.ts";
import { chainOf, codePolicies } from "../support/code-policy.ts";

const codings = {
  gzip: { code: gzipSync, decode: gunzipSync },
  deflate: { code: deflateSync, decode: inflateSync },
  br: { code: brotliCompressSync, decode: brotliDecompressSync },
  zstd: { code: zstdCompressSync, decode: zstdDecompressSync },
} as const;
type Coding = keyof typeof codings;

const upper = (): BodyTransform => ({
  chunk: (bytes) => Buffer.from(Buffer.from(bytes).toString("latin1").toUpperCase(), "latin1"),
  end: () => undefined,
});
const suffix = (): BodyTransform => ({ chunk: (bytes) => bytes, end: () => Buffer.from("|END") });
const policies = codePolicies({
  upper: { request: { body: "streamed", start: upper }, response: { body: "streamed", start: upper } },
  suffix: { request: { body: "streamed", start: suffix }, response: { body: "streamed", start: suffix } },
  plain: {
    request: {
      body: "streamed",
      start: ({ request }) => {
        request.headers.delete("content-encoding");
        return upper();
      },
    },
  } satisfies PolicyInstance<unknown>,
});

/** @param cuts where the coded bytes are cut, as parts of the whole */
function pass(engine: EngineUnderTest, encoding: string, coded: Buffer, cuts: readonly number[]): Promise<SimulatedExchange> {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * coded.length)).sort((a, b) => a - b), coded.length];
  const body = places.slice(1).map((place, index) => coded.subarray(places[index], place));
  const lines: readonly HeaderLine[] = [
    ["content-encoding", encoding],
    ["content-length", String(coded.length)],
  ];
  const configured = { request: BodyMode.FULL_DUPLEX_STREAMED, response: BodyMode.FULL_DUPLEX_STREAMED };
  const headers: readonly HeaderLine[] = [[":method", "POST"], [":path", "/"], [":authority", "a"], ...lines];
  return exchangeThroughKernel(engine.open, { route: "route", attributes: {}, configured, headers, body, trailers: [] }, () => ({
    headers: [[":status", "200"], ...lines],
    body,
    trailers: [],
  }));
}

test("what arrives, decoded, is what the transforms make of the decoded whole", async () => {
  const engine = await engineUnderTest(chainOf("upper", "suffix").replaceAll("100ms", "5s"), {}, { policies });
  const coding = fc.constantFrom(...(Object.keys(codings) as Coding[]));
  const text = fc.array(fc.constantFrom("lorem ", "ipsum ", "x".repeat(5_000), "\n"), { maxLength: 12 }).map((words) => words.join(""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(coding, { minLength: 1, maxLength: 2 }),
      text,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
      async (names, body, cuts) => {
        const coded = names.reduce<Buffer>((bytes, name) => codings[name].code(bytes), Buffer.from(body));
        const { upstream, client } = await pass(engine, names.join(", "), coded, cuts);
        const decoded = (bytes: Uint8Array = new Uint8Array()): string =>
          names.reduceRight<Buffer>((left, name) => codings[name].decode(left), Buffer.from(bytes)).toString();
        expect(decoded(upstream?.body)).toBe(`${body.toUpperCase()}|END`);
        expect(decoded(client.body)).toBe(`${body.toUpperCase()}|END`);
      },
    ),
    { seed: 6, numRuns: 150 },
  );
  expect(engine.counters.read().open).toBe(0);
});

test("who changes content-encoding gets the bytes sent as they are", async () => {
  const engine = await engineUnderTest(chainOf("plain"), {}, { policies });
  const { upstream } = await pass(engine, "gzip", gzipSync("hello"), []);
  expect(Buffer.from(upstream?.body ?? []).toString()).toBe("HELLO");
});

test.for([
  ["a coding that nobody knows", "compress", Buffer.from("hello"), 415, "request-coding"],
  ["bytes that are no gzip", "gzip", Buffer.from("hello"), 415, "request-coding"],
  ["a gzip that is cut off", "gzip", gzipSync("hello").subarray(0, -3), 415, "request-coding"],
  ["a body that becomes too large", "gzip", gzipSync(Buffer.alloc(50_000_000)), 413, "request-too-large"],
] as const)("%s is refused, and keeps no generation", async ([, encoding, coded, status, code]) => {
  const engine = await engineUnderTest(chainOf("upper"), {}, { policies });
  const { client, replied, upstream } = await pass(engine, encoding, Buffer.from(coded), [0.5]);
  expect({ replied, upstream, status: client.status }).toEqual({ replied: true, upstream: undefined, status });
  expect(engine.replies.map(({ reply }) => reply.code)).toEqual([code]);
  await expect.poll(() => engine.openGenerations(), { interval: 1 }).toBe(0);
});
