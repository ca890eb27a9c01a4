/**
 * Whatever Envoy sends and whatever steps do: random conversations, from well-formed to noise, against the kernel and the worker as they are.
 * A watcher beside the stream knows what was sent and what the handlers did, and holds the engine's writes against what is promised.
 */
import { gzipSync } from "node:zlib";
import type {
  Body,
  BufferedRequestExchange,
  BufferedResponseExchange,
  Outcome,
  PolicyInstance,
  RequestExchange,
  ResponseExchange,
} from "@envoy-policy-engine/sdk";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProcessingMode_BodySendMode as BodyMode } from "../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { ProcessingRequest } from "../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { StreamHandler } from "../../src/kernel/transport.ts";
import { type EngineDoes, engineDoes } from "../conversations/conversation.ts";
import { type EngineUnderTest, engineUnderTest } from "../conversations/engine-under-test.ts";
import { codePolicies } from "../support/code-policy.ts";

// What steps do.

const behaviours = [
  "pass",
  "change",
  "replace",
  "replace-later",
  "clear",
  "pass-later",
  "deny",
  "deny-later",
  "throw",
  "reject",
  "hang",
  "nonsense",
  "bad-thenable",
] as const;
type Behaviour = (typeof behaviours)[number];

interface Step {
  readonly request: Behaviour | undefined;
  readonly response: Behaviour | undefined;
  /** Also what an upgrade or a stream of events means for it. */
  readonly onError: "deny" | "skip";
  /** Which handlers wait for the body. */
  readonly buffered: readonly Direction[];
}

type Direction = "request" | "response";

const behaviour = fc.constantFrom(...behaviours);
const mildBehaviour = fc.constantFrom<Behaviour>("pass", "change", "replace", "replace-later", "pass-later");
const buffered = fc.subarray<Direction>(["request", "response"]);
const step: fc.Arbitrary<Step> = fc
  .record({
    request: fc.option(fc.oneof({ weight: 3, arbitrary: mildBehaviour }, { weight: 1, arbitrary: behaviour }), { nil: undefined }),
    response: fc.option(fc.oneof({ weight: 3, arbitrary: mildBehaviour }, { weight: 1, arbitrary: behaviour }), { nil: undefined }),
    onError: fc.constantFrom<Step["onError"]>("deny", "skip"),
    buffered,
  })
  .filter(({ request, response }) => request !== undefined || response !== undefined);

/** A step that waits for the response's body, and does not keep the request from getting there. */
const waiting: fc.Arbitrary<Step> = fc.record({
  request: fc.constant(undefined),
  response: mildBehaviour,
  onError: fc.constantFrom<Step["onError"]>("deny", "skip"),
  buffered: fc.constant<readonly Direction[]>(["response"]),
});

/** A step that lets nobody pass. */
const denying: fc.Arbitrary<Step> = fc.record({
  request: fc.constantFrom<Behaviour>("deny", "deny-later", "throw", "reject", "hang", "nonsense", "bad-thenable"),
  response: fc.option(behaviour, { nil: undefined }),
  onError: fc.constant("deny"),
  buffered,
});

function act(what: Behaviour, change: (body?: "replaced" | "cleared") => void): Outcome {
  switch (what) {
    case "pass":
      return undefined;
    case "change":
      return change();
    case "replace":
      return change("replaced");
    case "replace-later":
      return new Promise<void>((resolve) => setImmediate(resolve)).then(() => change("replaced"));
    case "clear":
      return change("cleared");
    case "pass-later":
      return new Promise<void>((resolve) => setImmediate(resolve)).then(() => change());
    case "deny":
      return { status: 403 };
    case "deny-later":
      return new Promise<void>((resolve) => setImmediate(resolve)).then(() => ({ status: 403 }));
    case "throw":
      throw new Error("thrown");
    case "reject":
      return Promise.reject(new Error("rejected"));
    case "hang":
      return new Promise(() => {});
    case "nonsense":
      return "nonsense" as never;
    case "bad-thenable":
      return {
        // biome-ignore lint/suspicious/noThenProperty: the point of the test
        then: (): never => {
          throw new Error("thrown in then");
        },
      } as never;
    default:
      return what satisfies never;
  }
}

// What Envoy sends.

const phases = ["requestHeaders", "requestBody", "requestTrailers", "responseHeaders", "responseBody", "responseTrailers"] as const;
type PhaseCase = (typeof phases)[number];

interface Sent {
  readonly phase: PhaseCase | undefined;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
  /** How often the headers are repeated: Envoy's limit is 100, ours is none. */
  readonly copies: number;
  readonly attributes: Readonly<Record<string, string | number>> | undefined;
  readonly observed: boolean;
  /** Of a message with headers or a body: nothing follows in its direction. */
  readonly last: boolean;
  readonly body: Uint8Array;
  /** Envoy's own modes of the request's and the response's body; undefined where it does not say. */
  readonly configured: readonly [request: BodyMode, response: BodyMode] | undefined;
  /** Fields of a newer protocol, or a second phase: raw bytes behind the message. */
  readonly tail: Uint8Array;
  readonly damage: { readonly kind: "none" } | { readonly kind: "cut" | "flip"; readonly at: number };
}

const headerName = fc.oneof(
  fc.constantFrom(":path", ":method", ":authority", ":status", "content-type", "x-request-id", "__proto__", "constructor", "", "\u212a"),
  fc.string({ maxLength: 8 }),
);
const aboutBody: readonly (readonly [string, Uint8Array])[] = [
  ["content-encoding", Buffer.from("gzip")],
  ["content-encoding", Buffer.from("br")],
  ["content-length", Buffer.from("4")],
  ["content-length", Buffer.from("5000")],
  ["content-type", Buffer.from("text/event-stream")],
  ["etag", Buffer.from('"1"')],
  ["upgrade", Buffer.from("websocket")],
  [":method", Buffer.from("CONNECT")],
  [":status", Buffer.from("206")],
  [":status", Buffer.from("304")],
];
const header = fc.oneof(fc.tuple(headerName, fc.uint8Array({ maxLength: 12 })), fc.constantFrom(...aboutBody));
const body = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(Buffer.from("body"), gzipSync("body"), Buffer.alloc(0)) },
  { weight: 1, arbitrary: fc.constantFrom(Buffer.alloc(1025), gzipSync(Buffer.alloc(1025)), gzipSync(Buffer.alloc(100_000))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
);
const configured = fc.option(
  fc.constantFrom<NonNullable<Sent["configured"]>>(
    [BodyMode.NONE, BodyMode.NONE],
    [BodyMode.BUFFERED, BodyMode.NONE],
    [BodyMode.BUFFERED, BodyMode.BUFFERED],
    [BodyMode.STREAMED, BodyMode.STREAMED],
  ),
  { nil: undefined },
);
const ordinary: readonly (readonly [string, Uint8Array])[] = [
  [":method", Buffer.from("GET")],
  [":path", Buffer.from("/a?b")],
  [":status", Buffer.from("200")],
];
const attributes = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ "xds.route_name": "route" }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom("xds.route_name", "__proto__", "source.address", "xds.route_metadata.filter_metadata['policy.engine']['chain']"),
      fc.oneof(fc.constantFrom("route", "chain", ""), fc.integer()),
    ),
  },
);
const tail = fc.oneof(
  { weight: 8, arbitrary: fc.constant(new Uint8Array()) },
  // Flow control of later protocols, an unknown field, and each phase once more: the last one counts.
  { weight: 1, arbitrary: fc.constantFrom("6200", "6a00", "82fa0100", "1200", "2200", "3200", "52", "5001").map(fromHex) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
);

function sent(phase: fc.Arbitrary<PhaseCase | undefined>): fc.Arbitrary<Sent> {
  return fc.record({
    phase,
    headers: fc.oneof(
      fc.constant(ordinary),
      fc.constant([...ordinary, ["content-encoding", Buffer.from("gzip")] as const]),
      fc.array(header, { maxLength: 6 }).map((some) => [...ordinary, ...some]),
      fc.array(header, { maxLength: 6 }),
    ),
    copies: fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 50, max: 400 }) }),
    attributes,
    observed: fc.oneof({ weight: 30, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    last: fc.boolean(),
    body,
    configured,
    tail,
    damage: fc.oneof(
      { weight: 15, arbitrary: fc.constant({ kind: "none" as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("cut" as const, "flip" as const), at: fc.nat({ max: 4000 }) }) },
    ),
  });
}

function fromHex(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

function bytesOf(sent: Sent): Uint8Array {
  const { headers, copies, attributes, observed, configured, tail, damage } = sent;
  const map = { headers: Array.from({ length: copies }, () => headers.map(([key, rawValue]) => ({ key, rawValue }))).flat() };
  const message = ProcessingRequest.encode({
    request: requestOf(sent, map),
    ...(configured === undefined ? {} : { protocolConfig: { requestBodyMode: configured[0], responseBodyMode: configured[1] } }),
    ...(attributes === undefined ? {} : { attributes: { "envoy.filters.http.ext_proc": attributes } }),
    ...(observed ? { observabilityMode: true } : {}),
  }).finish();
  const bytes = Buffer.concat([message, tail]);
  if (damage.kind === "none" || bytes.length === 0) return bytes;
  const at = damage.at % bytes.length;
  if (damage.kind === "cut") return bytes.subarray(0, at);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x55, at);
  return bytes;
}

interface HeaderMap {
  readonly headers: { key: string; rawValue: Uint8Array }[];
}

function requestOf({ phase, last, body }: Sent, headers: HeaderMap): ProcessingRequest["request"] {
  switch (phase) {
    case "requestHeaders":
    case "responseHeaders":
      return { $case: phase, value: { headers, endOfStream: last } };
    case "requestBody":
    case "responseBody":
      return { $case: phase, value: { body, endOfStream: last } };
    case "requestTrailers":
    case "responseTrailers":
      return { $case: phase, value: { trailers: headers } };
    case undefined:
      return undefined;
    default:
      return phase satisfies never;
  }
}

// What happens to a stream, in order.

type Event =
  | { readonly do: "message"; readonly sent: Sent }
  /** More messages at once than may wait for a step. */
  | { readonly do: "flood"; readonly sent: Sent }
  | { readonly do: "noise"; readonly bytes: Uint8Array }
  | { readonly do: "settle" | "rest" | "turn" | "half-close" | "close" | "abandon" };

const anyPhase = fc.option(fc.constantFrom(...phases), { nil: undefined, freq: 12 });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: sent(anyPhase).map((sent) => ({ do: "message" as const, sent })) },
  { weight: 1, arbitrary: sent(fc.constantFrom<PhaseCase>("requestBody", "responseBody")).map((sent) => ({ do: "flood" as const, sent })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ do: "noise" as const, bytes })) },
  { weight: 5, arbitrary: fc.constantFrom({ do: "settle" as const }, { do: "rest" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "turn" as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "half-close" as const }, { do: "close" as const }, { do: "abandon" as const }) },
);
const codings = ["none", "gzip"] as const;
const seldom = (events: fc.Arbitrary<Event[]>): fc.Arbitrary<Event[]> =>
  fc.oneof({ weight: 1, arbitrary: fc.constant<Event[]>([]) }, { weight: 1, arbitrary: events });
/** Most begin as Envoy does, and many go on so: else nothing but refusals would be seen. */
const conversation: fc.Arbitrary<readonly Event[]> = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    fc.constantFrom(...codings),
    configured,
    seldom(fc.array(event, { maxLength: 5 })),
    fc.boolean(),
    fc.boolean(),
    fc.constantFrom(...codings),
    seldom(fc.array(event, { maxLength: 3 })),
    fc.constantFrom("body", "body", "trailers", "nothing"),
    fc.array(event, { maxLength: 3 }),
  )
  .map(([opens, coding, modes, before, sends, responds, otherCoding, between, sendsBack, after]) => [
    ...(opens ? [well("requestHeaders", coding, modes)] : []),
    ...(sends ? [well("requestBody", coding)] : []),
    ...before,
    ...(responds ? [{ do: "rest" } as const, well("responseHeaders", otherCoding)] : []),
    ...between,
    ...(sendsBack === "nothing"
      ? []
      : [{ do: "settle" } as const, well(sendsBack === "body" ? "responseBody" : "responseTrailers", otherCoding)]),
    ...after,
  ]);

function well(phase: PhaseCase, coding: (typeof codings)[number], modes?: Sent["configured"]): Event {
  const sent: Sent = {
    phase,
    headers: [
      ...ordinary,
      ...(coding === "gzip" ? [["content-encoding", Buffer.from("gzip")] as const] : [["content-length", Buffer.from("4")] as const]),
    ],
    copies: 1,
    attributes: { "xds.route_name": "route" },
    observed: false,
    last: phase.endsWith("Body"),
    body: coding === "gzip" ? gzipSync("body") : Buffer.from("body"),
    configured: modes,
    tail: new Uint8Array(),
    damage: { kind: "none" },
  };
  return { do: "message", sent };
}

interface Setting {
  readonly allowModeOverride: boolean;
  readonly responseHeaders: "sent" | "skipped";
}

const setting: fc.Arbitrary<Setting> = fc
  .record({
    allowModeOverride: fc.boolean(),
    responseHeaders: fc.constantFrom<Setting["responseHeaders"]>("sent", "skipped"),
  })
  // The binder refuses a chain with response handlers on the other combination.
  .filter(({ allowModeOverride, responseHeaders }) => allowModeOverride || responseHeaders === "sent");

// The watcher.

/** What one exchange has seen so far; `faults` is what should not have happened. */
interface Watch {
  readonly faults: string[];
  /** Handlers that were called, and those that have let the exchange go on. */
  readonly called: Set<string>;
  readonly done: Set<string>;
  readonly unanswered: PhaseCase[];
  /** Directions whose headers were answered while steps of theirs wait for the body. */
  readonly holding: Set<Direction>;
  /** Directions whose body Envoy sends whole, as it says. */
  readonly whole: Set<Direction>;
  /** Directions whose body Envoy sends in pieces, as it says: nobody may take one for the whole. */
  readonly pieces: Set<Direction>;
  /** Directions whose headers said how long the body is. */
  readonly measured: Set<Direction>;
  running: number;
  /** A step has promised what never comes: its deadline must pass. */
  hangs: boolean;
  halfClosed: boolean;
  replied: boolean;
  ended: boolean;
}

function newWatch(): Watch {
  return {
    faults: [],
    called: new Set(),
    done: new Set(),
    unanswered: [],
    holding: new Set(),
    whole: new Set(),
    pieces: new Set(),
    measured: new Set(),
    running: 0,
    hangs: false,
    halfClosed: false,
    replied: false,
    ended: false,
  };
}

function handlerOf(watch: () => Watch, index: number, phase: Direction, what: Behaviour, waits: boolean) {
  const handle = (exchange: RequestExchange<unknown> | ResponseExchange<unknown>): Outcome => {
    const seen = watch();
    const name = `${phase} ${index}`;
    if (seen.ended) seen.faults.push(`the handler \`${name}\` was called after the end`);
    if (seen.called.has(name)) seen.faults.push(`the handler \`${name}\` was called twice`);
    seen.called.add(name);
    const headers =
      "response" in exchange && phase === "response" ? exchange.response.headers : (exchange as RequestExchange).request.headers;
    const change = (how?: "replaced" | "cleared"): undefined => {
      headers.set("x-changed", "yes");
      if (how !== undefined && waits) bodyOf(exchange).set(how === "replaced" ? "longer than before" : undefined);
      seen.done.add(name);
    };
    if (what === "pass") seen.done.add(name);
    if (what === "hang") seen.hangs = true;
    const outcome = act(what, change);
    if (outcome instanceof Promise && what !== "hang") {
      seen.running += 1;
      const over = (): void => {
        seen.running -= 1;
      };
      outcome.then(over, over);
    }
    return outcome;
  };
  return waits ? { body: "buffered" as const, handle } : handle;
}

function bodyOf(exchange: RequestExchange<unknown> | ResponseExchange<unknown>): Body {
  return (exchange as BufferedRequestExchange<unknown> | BufferedResponseExchange<unknown>).body;
}

/** What the fuzzer has come to, over all conversations: it must not only see refusals. */
const reached = {
  "request-headers": 0,
  "request-body": 0,
  "response-headers": 0,
  "response-body": 0,
  "response-trailers": 0,
  held: 0,
  "held back": 0,
};

function watched(engine: EngineUnderTest, watch: Watch, steps: readonly Step[], lets: "some pass" | "nobody pass"): StreamHandler {
  const fault = (text: string): void => void watch.faults.push(text);
  const undone = (phase: "request" | "response"): readonly number[] =>
    steps.flatMap((step, index) => {
      const passed = step.request === undefined || watch.done.has(`request ${index}`);
      const must = step.onError === "deny" && step[phase] !== undefined && (phase === "request" || passed);
      return must && !watch.done.has(`${phase} ${index}`) ? [index] : [];
    });

  const answered = (does: EngineDoes): void => {
    if (watch.replied || watch.ended) fault(`${JSON.stringify(does)} after ${watch.replied ? "a reply" : "the end"}`);
    if ("reply" in does) {
      watch.replied = true;
      if (does.reply < 200 || does.reply > 599 || (lets === "nobody pass" && does.reply < 400)) fault(`a reply with ${does.reply}`);
      return;
    }
    if (!("answer" in does)) return;
    const direction = does.answer.startsWith("request") ? "request" : "response";
    const waiting = steps.some(
      (step, index) => step.buffered.includes(direction) && step[direction] !== undefined && !watch.called.has(`${direction} ${index}`),
    );
    const asked = !watch.pieces.has(direction) && (watch.whole.has(direction) || does.buffer?.includes(direction) === true);
    if (does.answer === `${direction}-headers` && waiting && asked && undone(direction).length > 0) {
      watch.holding.add(direction);
      reached[direction === "request" ? "held" : "held back"] += 1;
    } else {
      if (lets === "nobody pass") fault(`${does.answer} was answered although nobody may pass`);
      if (does.answer in reached) reached[does.answer as keyof typeof reached] += 1;
      // A body may not be switched off while somebody waits for it.
      const ends = does.answer === `${direction}-headers` || watch.holding.has(direction);
      if (ends && undone(direction).length > 0) fault(`${does.answer} let pass, without the steps ${undone(direction).join()}`);
      if (ends) watch.holding.delete(direction);
    }
    if (does.body !== undefined) {
      const length = does.body.startsWith("hex:") ? (does.body.length - 4) / 2 : Buffer.byteLength(does.body);
      const said = does.set?.["content-length"];
      if (watch.measured.has(direction) ? said?.join() !== String(length) : said !== undefined)
        fault(`content-length ${said} with ${length} bytes`);
    }
    const at = watch.unanswered.findIndex((phase) => phase.startsWith(direction));
    if (at === -1 || watch.unanswered[at] !== phaseOf(does.answer)) fault(`${does.answer} answers no message, or one out of turn`);
    watch.unanswered.splice(at, 1);
  };
  const endedWell = (): void => {
    if (watch.ended) fault("OK after the end");
    watch.ended = true;
    if (watch.replied) return;
    if (watch.unanswered.length > 0) fault(`OK with ${watch.unanswered.join()} unanswered`);
    if (watch.running > 0) fault("OK while a handler runs");
    if (watch.holding.size > 0) fault(`OK while a step waits for the body of the ${[...watch.holding].join()}`);
    if (!watch.halfClosed && lets === "nobody pass") fault("OK without a reply");
    if (!watch.halfClosed && undone("response").length > 0)
      fault(`OK before the response handlers of the steps ${undone("response").join()}`);
  };

  return engine.open(
    { get: (key) => (key === "x-route" ? "r:route" : undefined) },
    {
      send(bytes) {
        answered(engineDoes(bytes));
        return true;
      },
      sendAndEnd(bytes) {
        answered(engineDoes(bytes));
        endedWell();
      },
      end: endedWell,
      fail: () => {
        if (watch.replied || watch.ended) fault("an error after a reply or the end");
        watch.ended = true;
      },
      pause: () => fault("nothing is to be paused"),
      resume: () => fault("nothing was paused"),
    },
  );
}

function phaseOf(answer: string): string {
  return answer.replace(/-([a-z])/, (_, letter: string) => letter.toUpperCase());
}

/** Notes a message as Envoy would that waits for its answer. */
function expectAnswer(watch: Watch, bytes: Uint8Array): void {
  if (watch.replied || watch.ended) return;
  try {
    const { request, observabilityMode, protocolConfig } = ProcessingRequest.decode(bytes);
    if (request === undefined || observabilityMode === true) return;
    watch.unanswered.push(request.$case);
    if (protocolConfig !== undefined) {
      watch.whole.clear();
      watch.pieces.clear();
      for (const one of ["request", "response"] as const) {
        const mode = protocolConfig[`${one}BodyMode`];
        if (mode === BodyMode.BUFFERED) watch.whole.add(one);
        else if (mode !== undefined && mode !== BodyMode.NONE) watch.pieces.add(one);
      }
    }
    const direction = request.$case.startsWith("request") ? "request" : "response";
    if ("headers" in request.value && request.value.headers?.headers?.some(({ key }) => key?.toLowerCase() === "content-length"))
      watch.measured.add(direction);
    if (watch.unanswered.length > waitingMax) watch.faults.push("more messages wait than memory should hold");
  } catch {
    // No message: it may only be refused.
  }
}

/** The headers, the 64 that may wait for them, and the one that is too many. */
const waitingMax = 66;

async function converse(engine: EngineUnderTest, handler: StreamHandler, watch: Watch, events: readonly Event[]): Promise<void> {
  const deliver = (bytes: Uint8Array): void => {
    // No transport hands over a message behind the half-close.
    if (watch.halfClosed) return;
    expectAnswer(watch, bytes);
    handler.message(bytes);
  };
  for (const one of events) {
    switch (one.do) {
      case "message":
        deliver(bytesOf(one.sent));
        break;
      case "flood":
        for (let count = 0; count < 70; count++) deliver(bytesOf(one.sent));
        break;
      case "noise":
        deliver(one.bytes);
        break;
      case "settle":
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
        break;
      case "rest":
        // For what is decoded or encoded beside the event loop.
        await new Promise((resolve) => setTimeout(resolve, 1));
        break;
      case "turn":
        await undefined;
        break;
      case "half-close":
        if (!watch.halfClosed) {
          watch.halfClosed = true;
          handler.halfClosed();
        }
        break;
      case "abandon":
        engine.abandon();
        break;
      case "close":
        return handler.closed();
      default:
        return one satisfies never;
    }
  }
  handler.closed();
}

async function play(
  steps: readonly Step[],
  setting: Setting,
  lets: "some pass" | "nobody pass",
  conversations: readonly (readonly Event[])[],
) {
  let watch = newWatch();
  const current = (): Watch => watch;
  const instances = steps.map(
    ({ request, response, buffered }, index): PolicyInstance<unknown> => ({
      ...(request === undefined ? {} : { request: handlerOf(current, index, "request", request, buffered.includes("request")) }),
      ...(response === undefined ? {} : { response: handlerOf(current, index, "response", response, buffered.includes("response")) }),
    }),
  );
  const policies = codePolicies(Object.fromEntries(instances.map((instance, index) => [`step-${index}`, instance])));
  const listed = steps.map(
    ({ onError }, index) =>
      `{ policy: step-${index}@1.0.0, onError: ${onError}, onUpgrade: ${onError}, onStream: ${onError}, timeout: 10ms }`,
  );
  const config = `version: 1\nchains: { chain: { steps: [${listed.join(", ")}] } }\nroutes: { route: chain }\n`;
  const engine = await engineUnderTest(config, setting, { policies });
  for (const events of conversations) {
    watch = newWatch();
    const handler = watched(engine, watch, steps, lets);
    await converse(engine, handler, watch, events);
    // One exchange at a time: what still runs would be taken for the next one's.
    while (watch.running > 0 || (watch.hangs && engine.openTimers() > 0)) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(engine.openTimers()).toBe(0);
    expect(watch.faults).toEqual([]);
    expect(engine.counters.read().open).toBe(0);
  }
  // What is decoded or encoded beside the event loop is awaited before its generation is let go of.
  await expect.poll(() => engine.openGenerations(), { interval: 1 }).toBe(0);
}

const conversations = fc.array(conversation, { minLength: 10, maxLength: 10 });

test("nobody passes a chain that denies everybody, whatever is sent and when", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 3 }),
      denying,
      fc.array(step, { maxLength: 1 }),
      setting,
      conversations,
      (before, one, after, ...rest) => play([...before, one, ...after], rest[0], "nobody pass", rest[1]),
    ),
    { seed: 1, numRuns: 80 },
  );
});

test("every message has at most one answer, nothing is skipped, nothing follows a reply and nothing is left, whatever steps do", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 3 }),
      fc.array(waiting, { maxLength: 1 }),
      setting,
      conversations,
      (steps, last, one, all) => play([...steps, ...last], one, "some pass", all),
    ),
    { seed: 2, numRuns: 120 },
  );
});

test("the conversations have come to every answer, and to steps that waited for a body", () => {
  for (const [what, times] of Object.entries(reached)) expect(times, what).toBeGreaterThan(5);
});
