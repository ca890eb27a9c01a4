/** Bodies that pass in pieces: whatever the chain and however the body is cut, what arrives is the transforms applied to the whole. */
import type { Body, BodyTransform, PolicyInstance } from "@envoy-policy-engine/sdk";
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
import { createdPolicies } from "../support/code-policy.ts";

/** What a step makes of a whole body, and how it does that in pieces. */
interface Shape {
  readonly whole: (body: Buffer) => Buffer;
  readonly transform: () => BodyTransform;
}

const shapes = {
  same: { whole: (body) => body, transform: () => ({ chunk: (bytes) => bytes, end: () => undefined }) },
  upper: { whole: upper, transform: () => ({ chunk: (bytes) => upper(bytes), end: () => new Uint8Array() }) },
  double: { whole: double, transform: () => ({ chunk: (bytes) => double(bytes), end: () => undefined }) },
  drop: {
    whole: (body) => Buffer.from(body.filter((byte) => byte % 3 !== 0)),
    transform: () => ({ chunk: (bytes) => bytes.filter((byte) => byte % 3 !== 0), end: () => undefined }),
  },
  hold: {
    whole: (body) => body,
    transform: () => {
      const held: Uint8Array[] = [];
      return { chunk: (bytes) => void held.push(bytes), end: () => Buffer.concat(held) };
    },
  },
  lag: {
    whole: (body) => body,
    transform: () => {
      let held: Uint8Array = new Uint8Array();
      const lag = (bytes: Uint8Array): Uint8Array => {
        const all = Buffer.concat([held, bytes]);
        held = all.subarray(Math.max(0, all.length - 5));
        return all.subarray(0, Math.max(0, all.length - 5));
      };
      return { chunk: lag, end: () => held };
    },
  },
  suffix: {
    whole: (body) => Buffer.concat([body, Buffer.from("|end")]),
    transform: () => ({ chunk: (bytes) => bytes, end: () => Buffer.from("|end") }),
  },
  /** Gives all that it gives in one buffer of its own, which it writes over with its next call. */
  reuse: {
    whole: (body) => Buffer.concat([upper(body), Buffer.from("|end")]),
    transform: () => {
      const own = Buffer.alloc(4096);
      const give = (bytes: Uint8Array): Uint8Array => {
        own.fill(0x23).set(bytes);
        return own.subarray(0, bytes.length);
      };
      return { chunk: (bytes) => give(upper(bytes)), end: () => give(Buffer.from("|end")) };
    },
  },
  later: {
    whole: upper,
    transform: () => ({ chunk: async (bytes) => upper(bytes), end: async () => undefined }),
  },
} as const satisfies Record<string, Shape>;

type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];

/** How a step's handler of one direction takes the body: not at all, whole, or in pieces. */
const takes = ["none", "buffered", "streamed"] as const;
type Takes = (typeof takes)[number];
type Direction = "request" | "response";
type Plan = Readonly<Record<Direction, readonly (Name | "passes")[]>>;

const places = 3;
const policyNames = takes.flatMap((request) => takes.map((response) => `${request}-${response}` as const));

/** Every chain of three steps, whose handlers look up what to do with the body of the exchange under way. */
function chains(plan: () => Plan) {
  const policies = createdPolicies(
    Object.fromEntries(
      policyNames.map((name) => [
        name,
        (_parameters, { step }): PolicyInstance<unknown> => {
          const [request, response] = name.split("-") as [Takes, Takes];
          const shape = (direction: Direction): Name | "passes" => plan()[direction][Number(step.slice(1))] ?? "passes";
          return { request: handler(request, () => shape("request")), response: handler(response, () => shape("response")) };
        },
      ]),
    ),
  );
  const steps = (mask: number): string =>
    Array.from({ length: places }, (_, place) => `{ policy: ${policyAt(mask, place)}@1.0.0, name: s${place}, timeout: 50s }`).join(", ");
  const masks = Array.from({ length: policyNames.length ** places }, (_, mask) => mask);
  const config = `version: 1
chains:
${masks.map((mask) => `  c${mask}: { steps: [${steps(mask)}] }`).join("\n")}
routes: { ${masks.map((mask) => `c${mask}: c${mask}`).join(", ")} }
`;
  return { policies, config, count: masks.length };
}

const policyAt = (mask: number, place: number): (typeof policyNames)[number] =>
  policyNames[Math.floor(mask / policyNames.length ** place) % policyNames.length] ?? "none-none";

function handler(how: Takes, shape: () => Name | "passes") {
  switch (how) {
    case "none":
      return () => undefined;
    case "buffered":
      return {
        body: "buffered" as const,
        handle: ({ body }: { readonly body: Body }) => {
          const name = shape();
          if (name !== "passes" && body.bytes !== undefined) body.set(shapes[name].whole(Buffer.from(body.bytes)));
        },
      };
    case "streamed":
      return {
        body: "streamed" as const,
        start: () => {
          const name = shape();
          return name === "passes" ? undefined : shapes[name].transform();
        },
      };
    default:
      return how satisfies never;
  }
}

/** What a chain is to make of a body. */
function expected(mask: number, direction: Direction, plan: Plan, body: Buffer): Buffer {
  const order = Array.from({ length: places }, (_, place) => place);
  return (direction === "request" ? order : order.reverse()).reduce((bytes, place) => {
    const name = plan[direction][place] ?? "passes";
    const how = policyAt(mask, place).split("-")[direction === "request" ? 0 : 1];
    return how === "none" || name === "passes" ? bytes : shapes[name].whole(bytes);
  }, body);
}

/** What the route says of itself: the modes that are printed for its chain, or nothing, so that the engine asks. */
function modesOf(mask: number, onRoute: boolean): BodyModes {
  const mode = (index: 0 | 1): BodyMode => {
    const used = Array.from({ length: places }, (_, place) => policyAt(mask, place).split("-")[index]);
    if (!onRoute || used.every((how) => how === "none")) return BodyMode.NONE;
    return used.includes("buffered") ? BodyMode.BUFFERED : BodyMode.FULL_DUPLEX_STREAMED;
  };
  return { request: mode(0), response: mode(1) };
}

const acts = fc.tuple(...Array.from({ length: places }, () => fc.constantFrom<Name | "passes">(...names, "passes")));
const sent = fc.record({
  body: fc.option(fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 8 })),
  trailers: fc.constantFrom<readonly HeaderLine[]>([], [["x-trailer", "sent"]]),
  declared: fc.boolean(),
});

test("what arrives is what the transforms make of the whole, however it is cut and whatever the chain", async () => {
  let plan: Plan = { request: [], response: [] };
  const { policies, config, count } = chains(() => plan);
  const engine = await engineUnderTest(config, { messageTimeoutMs: 60_000 }, { policies });
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: count - 1 }),
      fc.boolean(),
      acts,
      acts,
      sent,
      sent,
      async (mask, onRoute, request, response, asked, answered) => {
        plan = { request, response };
        const { upstream, client, replied } = await exchangeThroughKernel(
          engine.open,
          {
            route: `c${mask}`,
            attributes: {},
            configured: modesOf(mask, onRoute),
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
        check(upstream, asked, expected(mask, "request", plan, wholeOf(asked)));
        check(client, answered, expected(mask, "response", plan, wholeOf(answered)));
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

function upper(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte)));
}

function double(bytes: Uint8Array): Buffer {
  return Buffer.from([...bytes].flatMap((byte) => [byte, byte]));
}
