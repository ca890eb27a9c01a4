/** Through a real Envoy: a sample of the chains, chunkings and bodies that `tests/kernel/streams.test.ts` holds in process by the thousand. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { anyActs, chainsOfShapes, type Plan, shapeCount, shaped, shapeName } from "../../support/stream-shapes.ts";
import { shareOfRuns } from "../../support/test-stage.ts";
import type { Setting } from "../conformance/case.ts";
import { type ConformanceStage, startStageBefore } from "../conformance/conformance-stage.ts";
import { type MirrorUpstream, startMirrorUpstream } from "./mirror-upstream.ts";
import { exchangePlainly } from "./plain-client.ts";
import { digestOf, made, type PlainMessage } from "./plain-message.ts";

/** Each is a route of one Envoy. */
const sampledShapes = fc.sample(fc.uniqueArray(fc.nat({ max: shapeCount - 1 }), { minLength: 200, maxLength: 200 }), {
  seed: 6,
  numRuns: 1,
})[0] as readonly number[];
const runsOfEach = 200;

/** The timeout of the shapes' steps fits into it. */
const promises = { messageTimeoutMs: 60_000 };
const settings: Readonly<Record<string, Setting>> = {
  "modes on the routes": { promises, modes: "printed" },
  "modes on the routes, HTTP/2 to the upstream": { promises, modes: "printed", upstream: "http2" },
  "modes that the engine asks for": { promises, modes: "asked" },
};

/** Bytes, or as many of one kind. */
const piece = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.record({ byte: fc.nat({ max: 255 }), count: fc.integer({ min: 1, max: 6_000 }) }) },
);
const anyMessage = fc.record({ pieces: fc.array(piece, { maxLength: 8 }), more: fc.constantFrom("nothing", "trailers", "declared") });
type AnyMessage = typeof anyMessage extends fc.Arbitrary<infer Value> ? Value : never;

describe.each(Object.entries(settings))("%s", (_name, setting) => {
  let plan: Plan = { request: [], response: [] };
  let stage: ConformanceStage<MirrorUpstream>;

  beforeAll(async () => {
    const chains = chainsOfShapes(sampledShapes, () => plan);
    stage = await startStageBefore(setting, () => startMirrorUpstream(setting.upstream ?? "http1"), chains);
    return () => stage.close();
  });

  test.each(["http1", "http2"] as const)(
    "%s: what arrives is what the transforms make of the whole, whatever the chain",
    async (protocol) => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...sampledShapes),
          anyActs,
          anyActs,
          anyMessage,
          anyMessage,
          async (shape, request, response, anyAsked, anyAnswered) => {
            const [asked, answered] = [messageOf(anyAsked), messageOf(anyAnswered)];
            plan = { request, response };
            stage.upstream.answerWith(answered);
            stage.upstream.takeRequest();
            await stage.engine.exchanges();
            const client = await exchangePlainly(protocol, stage.envoy.port, `/${shapeName(shape)}`, asked);
            expect(client.status).toBe(200);
            expect(digestOf(stage.upstream.takeRequest())).toEqual(digestOf(made(asked, (body) => shaped(shape, "request", plan, body))));
            expect(digestOf(client)).toEqual(digestOf(made(answered, (body) => shaped(shape, "response", plan, body))));
            expect((await stage.engine.exchanges()).map(({ ended }) => ended)).toEqual(["ok"]);
          },
        ),
        shareOfRuns({ seed: 6, numRuns: runsOfEach }),
      );
    },
  );

  test("no answer was one too many", async () => {
    const stats = await stage.envoy.stats("ext_proc");
    expect(stats.get("http.ingress.ext_proc.spurious_msgs_received")).toBe(0);
    expect(stats.get("http.ingress.ext_proc.streams_failed")).toBe(0);
  });
});

function messageOf({ pieces: parts, more }: AnyMessage): PlainMessage {
  const pieces = parts.map((part) => ("byte" in part ? Buffer.alloc(part.count, part.byte) : part));
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  // Without data there is nothing to be declared, and trailers cannot be given a body: the chains that would are refused.
  return {
    headers: more === "declared" && bytes > 0 ? { "content-length": String(bytes) } : {},
    pieces,
    trailers: more === "trailers" && bytes > 0 ? { "x-trailer": "sent" } : {},
  };
}
