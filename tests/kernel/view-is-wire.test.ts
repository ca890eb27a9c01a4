/** What the steps saw last is what the upstream and the client get: bytes of headers and bodies, whatever the chain did to them. */
import { gzipSync, inflateRawSync } from "node:zlib";
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
import { exchangeThroughKernel, type HeaderLine, type SimulatedMessage } from "../../src/testing/simulated-envoy.ts";
import { engineUnderTest } from "../conversations/engine-under-test.ts";
import { codePolicies } from "../support/code-policy.ts";

type Direction = "request" | "response";
const directions: readonly Direction[] = ["request", "response"];

// What steps do.

type Change =
  | { readonly do: "set" | "append"; readonly name: string; readonly value: Uint8Array }
  | { readonly do: "delete"; readonly name: string }
  | { readonly do: "body"; readonly bytes: Uint8Array | undefined };

interface Act {
  readonly changes: readonly Change[];
  readonly ends: "well" | "later" | "badly";
}

const bytes = fc.uint8Array({ maxLength: 24 });
const value = bytes.map((some) => some.filter((byte) => byte !== 0 && byte !== 10 && byte !== 13));
const name = fc.constantFrom("x-a", "x-b", "x-a", "cookie", "etag", "content-digest", "accept-ranges", "content-encoding");
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ do: fc.constantFrom("set" as const, "append" as const), name, value }),
  fc.record({ do: fc.constant("delete" as const), name }),
  fc.record({ do: fc.constant("body" as const), bytes: fc.option(bytes, { nil: undefined }) }),
);
const act: fc.Arbitrary<Act> = fc.record({
  changes: fc.array(change, { maxLength: 4 }),
  ends: fc.constantFrom("well", "well", "later", "badly"),
});
const acts = fc.array(act, { minLength: 3, maxLength: 3 });

// What is sent.

interface Sent {
  readonly headers: readonly HeaderLine[];
  /** As it was before it was coded. */
  readonly plain: Uint8Array | undefined;
  readonly coding: string;
  readonly body: Uint8Array | undefined;
}

const coded: Readonly<Record<string, (plain: Uint8Array) => Uint8Array>> = {
  none: (plain) => plain,
  gzip: (plain) => gzipSync(plain),
  "two members": (plain) => Buffer.concat([gzipSync(plain.subarray(0, 3)), gzipSync(plain.subarray(3))]),
};

const sent: fc.Arbitrary<Sent> = fc
  .record({
    headers: fc.array(
      fc.tuple(name, value).filter(([header]) => header !== "content-encoding"),
      { maxLength: 5 },
    ),
    plain: fc.option(bytes, { nil: undefined, freq: 6 }),
    coding: fc.constantFrom(...Object.keys(coded)),
    length: fc.boolean(),
  })
  .map(({ headers, plain, coding, length }) => {
    const body = plain && coded[coding]?.(plain);
    return {
      headers: [
        ...headers.map(([header, text]): HeaderLine => [header, Buffer.from(text).toString("latin1")]),
        ...(coding === "none" ? [] : [["content-encoding", "gzip"] as const]),
        ...(length && body !== undefined ? [["content-length", String(body.length)] as const] : []),
      ],
      plain,
      coding,
      body,
    };
  });

// What steps see.

interface View {
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Undefined where the step does not wait for it. */
  readonly body: { readonly bytes: Uint8Array | undefined } | undefined;
}

type AnyExchange = RequestExchange<unknown> | ResponseExchange<unknown>;

const headersOf = (exchange: AnyExchange, direction: Direction) =>
  direction === "response" ? (exchange as ResponseExchange).response.headers : (exchange as RequestExchange).request.headers;
const bodyOf = (exchange: AnyExchange): Body => (exchange as BufferedRequestExchange | BufferedResponseExchange).body;

function look(exchange: AnyExchange, direction: Direction, buffered: boolean): View {
  const headers = headersOf(exchange, direction);
  const values = (header: string) => headers.getBytes(header).map((one) => Buffer.from(one).toString("latin1"));
  return {
    headers: Object.fromEntries(headers.names().map((header) => [header, values(header)])),
    body: buffered ? { bytes: bodyOf(exchange).bytes } : undefined,
  };
}

function perform({ changes, ends }: Act, exchange: AnyExchange, direction: Direction, buffered: boolean): Outcome {
  const go = (): undefined => {
    const headers = headersOf(exchange, direction);
    for (const one of changes) {
      if (one.do === "delete") headers.delete(one.name);
      else if (one.do !== "body") headers[one.do](one.name, one.value);
      else if (buffered) bodyOf(exchange).set(one.bytes);
    }
    if (ends === "badly") throw new Error("after all");
  };
  return ends === "later" ? new Promise<void>((resolve) => setImmediate(resolve)).then(go) : go();
}

/** Chains of three steps between a first one, which sees the response last, and a last one, which sees the request last. */
function chains(plan: () => Readonly<Record<Direction, readonly Act[]>>, seen: Partial<Record<Direction, View>>) {
  const instances: Record<string, PolicyInstance<unknown>> = {};
  const handler = (direction: Direction, buffered: boolean, handle: (exchange: AnyExchange) => Outcome) => ({
    [direction]: buffered ? { body: "buffered", handle } : handle,
  });
  for (const buffered of [false, true]) {
    const watch = (direction: Direction) =>
      handler(direction, buffered, (exchange) => {
        seen[direction] = look(exchange, direction, buffered);
      });
    instances[`first-${buffered}`] = watch("response");
    instances[`last-${buffered}`] = watch("request");
  }
  const masks = Array.from({ length: 64 }, (_, mask) => mask);
  const waits = (mask: number, index: number, direction: Direction): boolean =>
    ((mask >> (index * 2 + directions.indexOf(direction))) & 1) === 1;
  const step = (mask: number, index: number): string => {
    const name = `step-${index}-${waits(mask, index, "request")}-${waits(mask, index, "response")}`;
    const part = (direction: Direction) =>
      handler(direction, waits(mask, index, direction), (exchange) => {
        const what = plan()[direction][index];
        return what && perform(what, exchange, direction, waits(mask, index, direction));
      });
    instances[name] ??= { ...part("request"), ...part("response") };
    return name;
  };
  const config = masks.map((mask) => {
    const any = (direction: Direction) => [0, 1, 2].some((index) => waits(mask, index, direction));
    const names = [`first-${any("response")}`, ...[0, 1, 2].map((index) => step(mask, index)), `last-${any("request")}`];
    return `  c${mask}: { steps: [${names.map((one) => `{ policy: ${one}@1.0.0, onError: skip }`).join(", ")}] }`;
  });
  const routes = masks.map((mask) => `c${mask}: c${mask}`);
  return { policies: codePolicies(instances), config: `version: 1\nchains:\n${config.join("\n")}\nroutes: { ${routes.join(", ")} }\n` };
}

const aboutTheBytes = ["etag", "content-md5", "digest", "content-digest", "repr-digest", "accept-ranges"];

function grouped(lines: readonly HeaderLine[]): Record<string, readonly string[]> {
  const groups: Record<string, string[]> = {};
  for (const [header, text] of lines) {
    if (header.startsWith(":")) continue;
    groups[header] ??= [];
    groups[header].push(text);
  }
  return groups;
}

/** What must have arrived, given what was sent and what the last step saw. */
function check(direction: Direction, was: Sent, acts: readonly Act[], arrived: SimulatedMessage, view: View | undefined): void {
  const { "content-length": length, ...headers } = grouped(arrived.headers);
  const { "content-length": _, ...seen } = view?.headers ?? {};
  const body = arrived.body ?? new Uint8Array();
  if (length !== undefined) expect(length, direction).toEqual([String(body.length)]);
  expect(length === undefined, direction).toBe(!was.headers.some(([header]) => header === "content-length"));
  const same = Buffer.compare(body, was.body ?? new Uint8Array()) === 0;
  const sentHeaders = grouped(was.headers);
  const mayReplace =
    acts.some(({ changes }) => changes.some((one) => one.do === "body" || one.name === "content-encoding")) || was.coding === "two members";
  for (const header of new Set([...Object.keys(headers), ...Object.keys(seen)])) {
    // What said something about the bytes that were replaced goes with them, unless a step has set it.
    const stale =
      mayReplace && aboutTheBytes.includes(header) && headers[header] === undefined && seen[header]?.join() === sentHeaders[header]?.join();
    if (!stale) expect(headers[header], `${direction}: ${header}`).toEqual(seen[header]);
  }
  if (view?.body === undefined) return expect(same, direction).toBe(true);
  const expected = Buffer.from(view.body.bytes ?? []);
  const coding = headers["content-encoding"]?.join();
  const ours = coding === sentHeaders["content-encoding"]?.join() && coding === "gzip";
  expect(Buffer.compare(ours && body.length > 0 ? firstMember(body) : body, expected), direction).toBe(0);
}

/** What a reader sees that stops behind the first member, whose header zlib writes in ten bytes. */
const firstMember = (gzip: Uint8Array): Uint8Array => inflateRawSync(gzip.subarray(10));

test("what arrives is what the last step saw, byte for byte", async () => {
  let plan: Readonly<Record<Direction, readonly Act[]>> = { request: [], response: [] };
  const seen: { request?: View; response?: View } = {};
  const { policies, config } = chains(() => plan, seen);
  const engine = await engineUnderTest(config, {}, { policies });
  let replaced = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 63 }), acts, acts, sent, sent, async (mask, request, response, asked, answered) => {
      plan = { request, response };
      delete seen.request;
      delete seen.response;
      const pseudo: readonly HeaderLine[] = [
        [":method", "POST"],
        [":path", "/"],
        [":authority", "example.com"],
      ];
      const message = {
        route: `c${mask}`,
        headers: [...pseudo, ...asked.headers],
        body: asked.body && [asked.body],
        trailers: [],
        attributes: {},
        configured: { request: BodyMode.NONE, response: BodyMode.NONE },
      };
      const { upstream, client, replied } = await exchangeThroughKernel(engine.open, message, () => ({
        headers: [[":status", "200"], ...answered.headers],
        body: answered.body && [answered.body],
        trailers: [],
      }));
      expect(replied).toBe(false);
      if (upstream === undefined) throw new Error("the upstream was not asked");
      check("request", asked, request, upstream, seen.request);
      check("response", answered, response, client, seen.response);
      if (upstream.body !== asked.body) replaced += 1;
    }),
    { seed: 5, numRuns: 4000 },
  );
  expect(replaced).toBeGreaterThan(400);
  expect(engine.counters.read().open).toBe(0);
  expect(engine.openGenerations()).toBe(0);
}, 60_000);
