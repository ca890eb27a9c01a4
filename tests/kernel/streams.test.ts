/** Bodies that pass in pieces: whatever the chain and however the body is cut, what arrives is the transforms applied to the whole. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProcessingMode_BodySendMode as BodyMode } from "../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
  type BodyModes,
  exchangeThroughKernel,
  type HeaderLine,
  type SentMessage,
  type SimulatedMessage,
} from "../../src/testing/simulated-envoy.ts";
import { engineUnderTest } from "../conversations/engine-under-test.ts";
import { anyActs, chainsOfShapes, type Plan, shapeCount, shaped, shapeName, takesOf } from "../support/stream-shapes.ts";

/** What the route says of itself: the modes that are printed for its chain, or nothing, so that the engine asks. */
function modesOf(number: number, onRoute: boolean): BodyModes {
  const mode = (direction: "request" | "response"): BodyMode => {
    const used = takesOf(number, direction);
    if (!onRoute || used.every((how) => how === "none")) return BodyMode.NONE;
    return used.includes("buffered") ? BodyMode.BUFFERED : BodyMode.FULL_DUPLEX_STREAMED;
  };
  return { request: mode("request"), response: mode("response") };
}

const sent = fc.record({
  body: fc.option(fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 8 })),
  trailers: fc.constantFrom<readonly HeaderLine[]>([], [["x-trailer", "sent"]]),
  declared: fc.boolean(),
});

test("what arrives is what the transforms make of the whole, however it is cut and whatever the chain", async () => {
  let plan: Plan = { request: [], response: [] };
  const { policies, config } = chainsOfShapes(
    Array.from({ length: shapeCount }, (_, number) => number),
    () => plan,
  );
  const engine = await engineUnderTest(config, { messageTimeoutMs: 60_000 }, { policies });
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: shapeCount - 1 }),
      fc.boolean(),
      anyActs,
      anyActs,
      sent,
      sent,
      async (number, onRoute, request, response, asked, answered) => {
        plan = { request, response };
        const { upstream, client, replied } = await exchangeThroughKernel(
          engine.open,
          {
            route: shapeName(number),
            attributes: {},
            configured: modesOf(number, onRoute),
            ...message(
              [
                [":method", "POST"],
                [":path", "/"],
                [":authority", "a"],
              ],
              asked,
            ),
          },
          () => message([[":status", "200"]], answered),
        );
        expect(replied).toBe(false);
        check(upstream, asked, shaped(number, "request", plan, wholeOf(asked)));
        check(client, answered, shaped(number, "response", plan, wholeOf(answered)));
      },
    ),
    { seed: 6, numRuns: 4000 },
  );
  expect(engine.failures).toEqual([]);
  expect(engine.counters.read().open).toBe(0);
  expect(engine.openGenerations()).toBe(0);
  expect(engine.openTimers()).toBe(0);
});

type Sent = typeof sent extends fc.Arbitrary<infer Value> ? Value : never;

function message(pseudo: readonly HeaderLine[], { body, trailers, declared }: Sent): SentMessage {
  const length: readonly HeaderLine[] = declared && body !== null ? [["content-length", String(wholeOf({ body }).length)]] : [];
  return { headers: [...pseudo, ["etag", '"1"'], ...length], body: body ?? undefined, trailers: body === null ? [] : trailers };
}

const wholeOf = ({ body }: Pick<Sent, "body">): Buffer => Buffer.concat(body ?? []);

function check(
  arrived: Pick<SimulatedMessage, "headers" | "body" | "trailers"> | undefined,
  { body, trailers }: Sent,
  whole: Buffer,
): void {
  if (arrived === undefined) throw new Error("the upstream was not asked");
  expect(Buffer.from(arrived.body ?? []).toString("latin1")).toBe((body === null ? Buffer.alloc(0) : whole).toString("latin1"));
  const length = arrived.headers.find(([name]) => name === "content-length");
  if (length !== undefined) expect(Number(length[1])).toBe(arrived.body?.length);
  expect(arrived.trailers).toEqual(body === null ? [] : trailers);
}
