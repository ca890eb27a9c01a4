/** Sequences that no client of Envoy brings about by itself, and neighbours that fail: what is promised of a stream holds nevertheless. */
import { gzipSync } from "node:zlib";
import type { PolicyInstance } from "@envoy-policy-engine/sdk";
import { describe, expect, test } from "vitest";
import { decodeIncoming } from "../../src/kernel/wire/decode.ts";
import { envoyBytes } from "../conversations/conversation.ts";
import { engineUnderTest } from "../conversations/engine-under-test.ts";
import { chainOf, codePolicies } from "../support/code-policy.ts";
import { collectGarbage } from "../support/collect-garbage.ts";
import { openStream } from "./observed-sink.ts";

const requestHeaders = envoyBytes({ message: "request-headers", headers: { ":method": "GET", ":path": "/" } }, true, "route");
const requestWithBody = envoyBytes(
  { message: "request-headers", headers: { ":method": "POST", ":path": "/", "content-encoding": "gzip" }, more: true },
  true,
  "route",
);
const route = { "x-route": "r:route" };
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const unreadable: unknown = Object.create(null);

const steps = {
  passes: { request: () => undefined },
  denies: { request: () => ({ status: 403 }) },
  "passes-later": { request: async () => undefined },
  "throws-nothing-readable": {
    request: () => {
      throw unreadable;
    },
  },
  "rejects-with-nothing-readable": { request: () => Promise.reject(unreadable) },
  responds: { response: () => undefined },
  "reads-request": { request: { body: "buffered", handle: () => undefined } },
  "reads-response": { response: { body: "buffered", handle: () => undefined } },
} satisfies Record<string, PolicyInstance>;

/** As a log does: reading what a policy threw runs the policy's code. */
const reading = ({ cause }: { readonly cause: unknown }): void => void String(cause);

describe("nothing follows a reply", () => {
  test("when telling of it fails", async () => {
    const replied = (): void => {
      throw new Error("the log is broken");
    };
    for (const chain of ["denies", "throws-nothing-readable"]) {
      const engine = await engineUnderTest(chainOf(chain), {}, { policies: codePolicies(steps), replied });
      const { handler, events } = openStream(engine, route);
      handler.message(requestHeaders);
      handler.message(requestHeaders);
      expect(events).toMatchObject([{ reply: expect.any(Number) }, { end: "ok" }]);
      handler.halfClosed();
      handler.closed();
      expect(events.slice(1)).toEqual([{ end: "ok" }]);
      expect(engine.counters.read().open).toBe(0);
      expect(engine.openGenerations()).toBe(0);
    }
  });

  test("when the request is no message and telling of that fails", async () => {
    const replied = (): void => {
      throw new Error("the log is broken");
    };
    const engine = await engineUnderTest("none", {}, { replied });
    const { handler, events } = openStream(engine, route);
    handler.message(Buffer.from("ffffff", "hex"));
    expect(events).toMatchObject([{ reply: 500 }, { end: "ok" }]);
    handler.closed();
  });
});

describe("a body that does not come", () => {
  const responseHeaders = envoyBytes({ message: "response-headers", headers: { ":status": "200" }, more: true }, false, "route");

  test.for([
    { direction: "request", chain: "reads-request", answered: ["request-headers"] },
    { direction: "response", chain: "reads-response", answered: ["request-headers", "response-headers"] },
  ])("is named, because Envoy's ignoring the override looks like that: $direction", async ({ direction, chain, answered }) => {
    const engine = await engineUnderTest(chainOf(chain), {}, { policies: codePolicies(steps) });
    const { handler, events } = openStream(engine, route);
    handler.message(requestWithBody);
    if (direction === "response") handler.message(responseHeaders);
    handler.halfClosed();
    handler.closed();
    expect(events).toMatchObject([...answered.map((answer) => ({ answer })), { end: "unavailable" }]);
    expect(engine.bodiesNotSent).toMatchObject([{ id: "decision-1", direction, chain: "chain", request: { route: { name: "route" } } }]);
    expect(engine.counters.read().ended["body-not-sent"]).toBe(1);
    expect(engine.openGenerations()).toBe(0);
  });

  test("is counted where the connection breaks, too", async () => {
    const engine = await engineUnderTest(chainOf("reads-request"), {}, { policies: codePolicies(steps) });
    const { handler } = openStream(engine, route);
    handler.message(requestWithBody);
    handler.closed();
    expect(engine.counters.read().ended["body-not-sent"]).toBe(1);
  });
});

describe("the time that a body takes to be decoded", () => {
  test.for([
    { decodingMs: 8_999, ends: { answer: "request-body" } },
    { decodingMs: 9_000, ends: { reply: 504, code: "policy-timeout" } },
  ])("is taken off the message budget: $decodingMs ms", async ({ decodingMs, ends }) => {
    let nowMs = 5_000;
    const parts = { policies: codePolicies(steps), monotonicMs: () => nowMs };
    const engine = await engineUnderTest(chainOf("reads-request"), { messageTimeoutMs: 10_000 }, parts);
    const { handler, events } = openStream(engine, route);
    handler.message(requestWithBody);
    nowMs += 60_000;
    handler.message(envoyBytes({ message: "request-body", body: `hex:${gzipSync("body").toString("hex")}` }, false, "route"));
    nowMs += decodingMs;
    await expect.poll(() => events).toMatchObject([{ answer: "request-headers" }, ends, { end: "ok" }]);
    handler.closed();
  });
});

describe("what a policy throws cannot be read", () => {
  test.for(["throws-nothing-readable", "rejects-with-nothing-readable"])("%s: the exchange is answered and let go of", async (chain) => {
    const parts = { policies: codePolicies(steps), failed: reading };
    const engine = await engineUnderTest(chainOf(chain), {}, parts);
    const { handler, events } = openStream(engine, route);
    handler.message(requestHeaders);
    await settled();
    expect(events).toMatchObject([{ reply: 500, code: "policy-failed" }, { end: "ok" }]);
    handler.closed();
    expect([engine.openTimers(), engine.counters.read().open, engine.openGenerations()]).toEqual([0, 0, 0]);
    const skipping = await engineUnderTest(chainOf(`${chain}?`), {}, parts);
    const stream = openStream(skipping, route);
    stream.handler.message(requestHeaders);
    await settled();
    expect(stream.events).toMatchObject([{ answer: "request-headers" }, { end: "ok" }]);
  });
});

describe("a half-close while a step runs", () => {
  test("that comes between the step's end and the answer is not answered with OK, and nothing is kept", async () => {
    for (const chain of [["passes-later"], ["passes-later", "responds"]]) {
      for (let turns = 0; turns < 12; turns++) {
        const engine = await engineUnderTest(chainOf(...chain), {}, { policies: codePolicies(steps) });
        const { handler, events } = openStream(engine, route);
        handler.message(requestHeaders);
        for (let turn = 0; turn < turns; turn++) await undefined;
        const answered = events.length > 0;
        handler.halfClosed();
        await settled();
        if (answered) expect(events).toMatchObject([{ answer: "request-headers" }, { end: "ok" }]);
        else expect(events).toEqual([{ end: "unavailable" }]);
        expect(engine.openGenerations()).toBe(0);
      }
    }
  });
});

test("an exchange that is over is not kept by the kernel", async () => {
  const engine = await engineUnderTest(chainOf("passes"), {}, { policies: codePolicies(steps) });
  const play = (): WeakRef<object> => {
    const { handler } = openStream(engine, route);
    handler.message(requestHeaders);
    handler.closed();
    return new WeakRef(handler);
  };
  const exchange = play();
  // A WeakRef holds its target for the rest of the turn.
  await settled();
  collectGarbage();
  expect(exchange.deref()).toBeUndefined();
});

describe("attributes", () => {
  test("an entry named `__proto__` supplies nothing", () => {
    const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
    const field = (tag: number, content: Buffer): Buffer => Buffer.concat([Buffer.of(tag, content.length), content]);
    const value = field(0x1a, Buffer.from("secret-route"));
    const struct = (name: string, content: Buffer): Buffer =>
      field(0x0a, Buffer.concat([Buffer.of(0x0a), text(name), field(0x12, content)]));
    // attributes { key: "__proto__", value: { "envoy.filters.http.ext_proc": { "xds.route_name": "secret-route" } } }
    const inner = field(0x2a, struct("xds.route_name", value));
    const entry = Buffer.concat([Buffer.of(0x0a), text("__proto__"), field(0x12, struct("envoy.filters.http.ext_proc", inner))]);
    expect(decodeIncoming(field(0x4a, entry)).attributes).toBeUndefined();
  });
});
