/** Through a real Envoy: bodies in content codings. The transforms see what is in them, and what arrives is in the same coding, or in none. */
import { promisify } from "node:util";
import zlib from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { shareOfRuns } from "../../support/test-stage.ts";
import { type ConformanceStage, startStageBefore } from "../conformance/conformance-stage.ts";
import { type MirrorUpstream, startMirrorUpstream } from "./mirror-upstream.ts";
import { exchangePlainly } from "./plain-client.ts";
import type { PlainMessage } from "./plain-message.ts";

interface Coder {
  readonly encode: (body: Buffer) => Promise<Buffer>;
  readonly decode: (coded: Buffer) => Promise<Buffer>;
}

const gzip: Coder = { encode: promisify(zlib.gzip), decode: promisify(zlib.gunzip) };
const br: Coder = { encode: promisify(zlib.brotliCompress), decode: promisify(zlib.brotliDecompress) };
const coders: Readonly<Record<string, Coder>> = {
  gzip,
  deflate: { encode: promisify(zlib.deflate), decode: promisify(zlib.inflate) },
  br,
  zstd: { encode: promisify(zlib.zstdCompress), decode: promisify(zlib.zstdDecompress) },
  "gzip, br": {
    encode: async (body) => br.encode(await gzip.encode(body)),
    decode: async (coded) => gzip.decode(await br.decode(coded)),
  },
};

/** What `stream-both` of `conformance/chains.yaml` makes of a body, in each direction. */
const upper = (body: Buffer): Buffer => Buffer.from(body.toString("latin1").toUpperCase(), "latin1");
const asked = (body: Buffer): Buffer => Buffer.concat([upper(body), Buffer.from("|end")]);
const answered = (body: Buffer): Buffer => Buffer.concat([upper(body), Buffer.from("|END")]);

/** Not so much alike that it would pass for a bomb. */
function words(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, index) => `${index} words; `).join(""));
}

const text = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 10_000 }).map(words) },
);

describe.each(["http1", "http2"] as const)("%s", (protocol) => {
  let stage: ConformanceStage<MirrorUpstream>;

  beforeAll(async () => {
    stage = await startStageBefore({ modes: "printed", upstream: protocol }, () => startMirrorUpstream(protocol));
    return () => stage.close();
  });

  test.for(Object.entries(coders))("%s: bodies and pieces at random", async ([coding, { encode, decode }]) => {
    const coded = async (body: Buffer, cut: number): Promise<PlainMessage> => {
      const bytes = await encode(body);
      const at = cut % (bytes.length + 1);
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0);
      return { headers: { "content-encoding": coding }, pieces, trailers: {} };
    };
    await fc.assert(
      fc.asyncProperty(text, text, fc.nat(5_000), async (request, response, cut) => {
        stage.upstream.answerWith(await coded(response, cut));
        const client = await exchangePlainly(protocol, stage.envoy.port, "/stream-both", await coded(request, cut));
        const upstream = stage.upstream.takeRequest();
        expect([client.status, client.headers, upstream?.headers]).toEqual([200, codedAs(coding), codedAs(coding)]);
        expect((await decode(Buffer.concat(upstream?.pieces ?? []))).equals(asked(request))).toBe(true);
        expect((await decode(Buffer.concat(client.pieces))).equals(answered(response))).toBe(true);
        expect((await stage.engine.exchanges()).map(({ ended }) => ended)).toEqual(["ok"]);
      }),
      shareOfRuns({ seed: 6, numRuns: 12 }),
    );
  });

  test.for(Object.entries(coders))(
    "%s: an upload that is cut off within its coding is answered, and never whole",
    async ([coding, { encode }]) => {
      const whole = await encode(words(5_000));
      stage.upstream.takeRequest();
      const sent = { headers: { "content-encoding": coding }, pieces: [whole.subarray(0, -6)], trailers: {} };
      expect((await exchangePlainly(protocol, stage.envoy.port, "/stream-both", sent)).status).toBe(415);
      expect(stage.upstream.takeRequest()).toBeUndefined();
      const [exchange] = await stage.engine.exchanges();
      expect(exchange?.answers.at(-1)).toMatchObject({ reply: 415, code: "request-coding" });
    },
  );

  test("no answer was one too many", async () => {
    const stats = await stage.envoy.stats("ext_proc");
    expect(stats.get("http.ingress.ext_proc.spurious_msgs_received")).toBe(0);
  });
});

const codedAs = (coding: string): object => ({ "content-encoding": coding });
