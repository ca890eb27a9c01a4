/** Through a real Envoy: what arrives at either end is what the transforms make of the whole, however it is cut and whatever carries it. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Setting } from "../conformance/case.ts";
import { type ConformanceStage, startStageBefore } from "../conformance/conformance-stage.ts";
import { type MirrorUpstream, startMirrorUpstream } from "./mirror-upstream.ts";
import { exchangePlainly } from "./plain-client.ts";
import { digestOf, made, type PlainMessage } from "./plain-message.ts";

const upper = (body: Buffer): Buffer => Buffer.from(body.toString("latin1").toUpperCase(), "latin1");
const suffix = (body: Buffer): Buffer => Buffer.concat([body, Buffer.from("|end")]);
const double = (body: Buffer): Buffer => Buffer.concat(Array.from(body, (byte) => Buffer.of(byte, byte)));

/** What the chains of `conformance/chains.yaml` make of a body, in each direction. */
const chains: Readonly<Record<string, { readonly request: (body: Buffer) => Buffer; readonly response: (body: Buffer) => Buffer }>> = {
  "stream-both": { request: (body) => suffix(upper(body)), response: (body) => upper(suffix(body)) },
  "stream-hold": { request: (body) => body, response: (body) => body },
  "stream-late": { request: suffix, response: suffix },
  "stream-mixed": { request: (body) => double(suffix(body)), response: (body) => suffix(double(body)) },
  "stream-up": { request: upper, response: (body) => body },
  "stream-down": { request: (body) => body, response: upper },
};

const settings: Readonly<Record<string, Setting>> = {
  "modes on the routes": { modes: "printed" },
  "modes on the routes, HTTP/2 to the upstream": { modes: "printed", upstream: "http2" },
  "modes that the engine asks for": { modes: "asked" },
};

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat({ max: 255 }), fc.integer({ min: 1, max: 30_000 })).map(([byte, length]) => Buffer.alloc(length, byte)),
  },
);
const message: fc.Arbitrary<PlainMessage> = fc
  .record({ pieces: fc.array(piece, { maxLength: 8 }), trailers: fc.constantFrom({}, { "x-trailer": "sent" }) })
  // Trailers without data cannot be given a body: the chains that would are refused.
  .map(({ pieces, trailers }) => ({ pieces, trailers: pieces.some(({ length }) => length > 0) ? trailers : {} }));

const bytes = (count: number): readonly Uint8Array[] => Array.from({ length: count }, (_, index) => Buffer.of(97 + (index % 26)));
const examples: Readonly<Record<string, PlainMessage>> = {
  "no data at all": { pieces: [], trailers: {} },
  "200 pieces of one byte": { pieces: bytes(200), trailers: {} },
  "64 pieces at once": { pieces: Array.from({ length: 64 }, (_, index) => Buffer.alloc(1024, index)), trailers: {} },
  "one large piece": { pieces: [Buffer.alloc(100_000, "abc")], trailers: {} },
  "a body and trailers": { pieces: [Buffer.from("hello"), Buffer.from("world")], trailers: { "x-trailer": "sent" } },
};

for (const [name, setting] of Object.entries(settings)) {
  describe(name, () => {
    let stage: ConformanceStage<MirrorUpstream>;

    beforeAll(async () => {
      stage = await startStageBefore(setting, () => startMirrorUpstream(setting.upstream ?? "http1"));
      return () => stage.close();
    });

    for (const protocol of ["http1", "http2"] as const) {
      test.for(Object.entries(examples))(`${protocol}: %s`, async ([, sent]) => {
        for (const chain of Object.keys(chains)) await hold(stage, protocol, chain, sent, sent);
      });

      // Where the engine asks for them bodies come whole, and trailers in place of a request's are refused.
      if (setting.modes === "printed") {
        test(`${protocol}: trailers without data`, async () => {
          const sent = { pieces: [], trailers: { "x-trailer": "sent" } };
          for (const chain of ["stream-up", "stream-down", "stream-hold"]) await hold(stage, protocol, chain, sent, sent);
        });
      }

      test(`${protocol}: bodies and pieces at random`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.constantFrom(...Object.keys(chains)), message, message, async (chain, asked, answered) =>
            hold(stage, protocol, chain, asked, answered),
          ),
          { seed: 6, numRuns: 25 },
        );
      });
    }

    test("no answer was one too many", async () => {
      const stats = await stage.envoy.stats("ext_proc");
      expect(stats.get("http.ingress.ext_proc.spurious_msgs_received")).toBe(0);
      expect(stats.get("http.ingress.ext_proc.streams_failed")).toBe(0);
    });
  });
}

async function hold(
  { envoy, engine, upstream }: ConformanceStage<MirrorUpstream>,
  protocol: "http1" | "http2",
  chain: string,
  asked: PlainMessage,
  answered: PlainMessage,
): Promise<void> {
  const makes = chains[chain];
  if (makes === undefined) throw new Error(`no such chain: ${chain}`);
  upstream.answerWith(answered);
  upstream.takeRequest();
  await engine.exchanges();
  const client = await exchangePlainly(protocol, envoy.port, `/${chain}`, asked);
  expect({ chain, status: client.status }).toEqual({ chain, status: 200 });
  expect(digestOf(upstream.takeRequest())).toEqual(digestOf(made(asked, makes.request)));
  expect(digestOf(client)).toEqual(digestOf(made(answered, makes.response)));
  expect((await engine.exchanges()).map(({ ended }) => ended)).toEqual(["ok"]);
}
