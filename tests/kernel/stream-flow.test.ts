/** How fast bodies pass, and what becomes of one that is under way when something else happens. */
import type { BodyTransform, PolicyInstance, RequestExchange, StreamControl } from "@envoy-policy-engine/sdk";
import { describe, expect, test } from "vitest";
import type { StreamHandler } from "../../src/kernel/transport.ts";
import { type EngineDoes, engineDoes, envoyBytes } from "../conversations/conversation.ts";
import { type EngineUnderTest, engineUnderTest } from "../conversations/engine-under-test.ts";
import { chainOf, codePolicies } from "../support/code-policy.ts";

const config = `version: 1
chains: { chain: { steps: [{ policy: streamed@1.0.0, name: streamed, timeout: 5s }] } }
routes: { route: chain }
`;

/** Envoy's side of one stream, with a transport whose queue is full when the test says so. */
class Envoy {
  readonly events: EngineDoes[] = [];
  paused = false;
  full = false;
  readonly #handler: StreamHandler;

  constructor({ open }: EngineUnderTest) {
    this.#handler = open(
      { get: (key) => (key === "x-route" ? "r:route" : undefined) },
      {
        send: (bytes) => {
          this.events.push(engineDoes(bytes));
          return !this.full;
        },
        sendAndEnd: (bytes) => void this.events.push(engineDoes(bytes), { end: "ok" }),
        end: () => void this.events.push({ end: "ok" }),
        fail: (status) => void this.events.push({ end: status === "unavailable" ? "unavailable" : "internal" }),
        pause: () => {
          this.paused = true;
        },
        resume: () => {
          this.paused = false;
        },
      },
    );
    const headers = { ":method": "POST", ":path": "/" };
    this.#handler.message(envoyBytes({ message: "request-headers", headers, more: true, duplex: ["request"] }, true, "route"));
  }

  chunk(body: string, more = true): void {
    this.#handler.message(envoyBytes({ message: "request-body", body, more }, false, "route"));
  }

  respond(): void {
    this.#handler.message(envoyBytes({ message: "response-headers", headers: { ":status": "200" }, more: true }, false, "route"));
  }

  drain(): void {
    this.full = false;
    this.#handler.drained();
  }

  hangUp(): void {
    this.#handler.closed();
  }

  get parts(): readonly string[] {
    return this.events.flatMap((event) => ("part" in event && event.part !== undefined ? [event.part] : []));
  }
}

const same: BodyTransform = { chunk: (bytes) => bytes, end: () => undefined };
const streamed = (start: (exchange: RequestExchange<unknown>, stream: StreamControl) => BodyTransform): PolicyInstance<unknown> => ({
  request: { body: "streamed", start },
});
const engineWith = (start: Parameters<typeof streamed>[0]): Promise<EngineUnderTest> =>
  engineUnderTest(config, {}, { policies: codePolicies({ streamed: streamed(start) }) });

/** A transform whose next chunk waits until the test lets it go. */
function waiting() {
  const gates: (() => void)[] = [];
  const transform: BodyTransform = {
    chunk: async (bytes) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return bytes;
    },
    end: () => undefined,
  };
  return { transform, letGo: () => gates.shift()?.() };
}

describe("nobody is listened to faster than what comes of it is taken", () => {
  test("a full queue stops the reading, what has come already waits, and goes on in order", async () => {
    const engine = await engineWith(() => same);
    const envoy = new Envoy(engine);
    envoy.full = true;
    for (const body of ["a", "b", "c"]) envoy.chunk(body);
    expect(envoy.parts).toEqual(["a …"]);
    expect(envoy.paused).toBe(true);
    envoy.drain();
    expect(envoy.parts).toEqual(["a …", "b …", "c …"]);
    expect(envoy.paused).toBe(false);
    envoy.chunk("d", false);
    expect(envoy.events.slice(-2)).toEqual([{ answer: "request-body", part: "d" }, { end: "ok" }]);
    envoy.hangUp();
  });

  test("a window bounds what waits for a promise", async () => {
    const { transform, letGo } = waiting();
    const engine = await engineWith(() => transform);
    const envoy = new Envoy(engine);
    const large = "x".repeat(100 * 1024);
    envoy.chunk("first");
    envoy.chunk(large);
    envoy.chunk(large);
    expect(envoy.paused).toBe(false);
    envoy.chunk(large);
    expect(envoy.paused).toBe(true);
    letGo();
    await expect.poll(() => envoy.parts).toEqual(["first …"]);
    await expect.poll(() => envoy.paused).toBe(false);
    envoy.hangUp();
  });

  test("empty pieces count too", async () => {
    const engine = await engineWith(() => waiting().transform);
    const envoy = new Envoy(engine);
    envoy.chunk("first");
    for (let count = 0; count < 300; count++) envoy.chunk("");
    expect(envoy.paused).toBe(true);
    envoy.hangUp();
  });

  test("a large piece reaches a transform in pieces of 64 KiB, each when there is room for what comes of it", async () => {
    const seen: number[] = [];
    const engine = await engineWith(() => ({
      ...same,
      chunk: ({ length }) => {
        seen.push(length);
        return Buffer.from("x");
      },
    }));
    const envoy = new Envoy(engine);
    envoy.full = true;
    envoy.chunk("a".repeat(150 * 1024), false);
    expect(seen).toEqual([64 * 1024]);
    envoy.drain();
    expect(seen).toEqual([64 * 1024, 64 * 1024, 22 * 1024]);
    expect(envoy.parts).toEqual(["x …", "x …", "x"]);
    envoy.hangUp();
  });

  test("a large part leaves in pieces of 64 KiB", async () => {
    const engine = await engineWith(() => ({ ...same, chunk: () => Buffer.alloc(150 * 1024, "x") }));
    const envoy = new Envoy(engine);
    envoy.chunk("a");
    expect(envoy.parts.map((part) => part.length - " …".length)).toEqual([64 * 1024, 64 * 1024, 22 * 1024]);
    envoy.hangUp();
  });
});

describe("a body under way", () => {
  test("keeps its generation until it has come to its end", async () => {
    const engine = await engineWith(() => same);
    const envoy = new Envoy(engine);
    envoy.chunk("a");
    expect(engine.openGenerations()).toBe(1);
    envoy.chunk("b", false);
    expect(engine.openGenerations()).toBe(0);
    envoy.hangUp();
  });

  test("is cut off at the end of the grace period, and never ends with OK", async () => {
    const engine = await engineWith(() => same);
    const envoy = new Envoy(engine);
    envoy.chunk("a");
    engine.abandon();
    envoy.chunk("b", false);
    expect(envoy.events.slice(-2)).toEqual([{ answer: "request-body", part: "a …" }, { end: "unavailable" }]);
    expect(engine.openGenerations()).toBe(0);
    envoy.hangUp();
  });

  test("tells its step when the client has left, and waits for the promise that is pending", async () => {
    const { transform, letGo } = waiting();
    let signal: AbortSignal | undefined;
    const engine = await engineWith((exchange) => {
      signal = exchange.signal;
      return transform;
    });
    const envoy = new Envoy(engine);
    envoy.chunk("a");
    envoy.hangUp();
    expect(signal?.aborted).toBe(true);
    expect(engine.openGenerations()).toBe(1);
    letGo();
    await expect.poll(() => engine.openGenerations()).toBe(0);
    expect(envoy.parts).toEqual([]);
    expect(engine.openTimers()).toBe(0);
    expect(engine.counters.read()).toMatchObject({ open: 0, ended: { gone: 1 } });
  });

  test("can be aborted between two chunks", async () => {
    let abort: ((reason: string) => void) | undefined;
    const engine = await engineWith((_exchange, stream) => {
      abort = (reason) => stream.abort(reason);
      return same;
    });
    const envoy = new Envoy(engine);
    envoy.chunk("a");
    abort?.("found later");
    expect(envoy.events.at(-2)).toMatchObject({ reply: 500, code: "stream-aborted" });
    expect(envoy.events.at(-1)).toEqual({ end: "ok" });
    expect(engine.failures).toMatchObject([{ code: "stream-aborted", step: "streamed", cause: new Error("found later") }]);
    abort?.("again");
    expect(engine.failures).toHaveLength(1);
    envoy.hangUp();
  });

  test("cannot be aborted once it has come to its end", async () => {
    let abort: ((reason: string) => void) | undefined;
    const engine = await engineWith((_exchange, stream) => {
      abort = (reason) => stream.abort(reason);
      return same;
    });
    const envoy = new Envoy(engine);
    envoy.chunk("a", false);
    abort?.("too late");
    expect(engine.failures).toEqual([]);
    expect(envoy.events.at(-1)).toEqual({ end: "ok" });
    envoy.hangUp();
  });

  test("is each step's own: what one does later to the bytes it has given on reaches no other", async () => {
    const given: Uint8Array[] = [];
    const held: Uint8Array[] = [];
    const scribbles = streamed(() => ({
      chunk: (bytes) => {
        for (const bytes of given) bytes.fill(0x2a);
        given.push(bytes);
        return bytes;
      },
      end: () => undefined,
    }));
    const holds = streamed(() => ({ chunk: (bytes) => void held.push(bytes), end: () => Buffer.concat(held) }));
    const engine = await engineUnderTest(chainOf("scribbles", "holds"), {}, { policies: codePolicies({ scribbles, holds }) });
    const envoy = new Envoy(engine);
    envoy.chunk("a");
    envoy.chunk("b", false);
    expect(envoy.parts).toEqual(["ab"]);
    envoy.hangUp();
  });

  test("leaves its step nothing but to read the exchange", async () => {
    const seen: unknown[] = [];
    const engine = await engineWith((exchange) => ({
      chunk: (bytes) => {
        seen.push(exchange.request.method);
        try {
          exchange.request.headers.set("x-late", "1");
        } catch (error) {
          seen.push(error instanceof TypeError);
        }
        return bytes;
      },
      end: () => undefined,
    }));
    const envoy = new Envoy(engine);
    envoy.chunk("a", false);
    expect(seen).toEqual(["POST", true]);
    envoy.hangUp();
  });
});

test("a response that comes while steps see why the request's body has failed changes nothing about the answer", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const outer: PolicyInstance<unknown> = {
    request: () => undefined,
    response: async ({ response }) => {
      await promise;
      response.headers.set("x-outer", "seen");
    },
  };
  const fails = streamed(() => ({
    chunk: () => {
      throw new Error("at once");
    },
    end: () => undefined,
  }));
  const text = chainOf("outer", "fails");
  const envoy = new Envoy(await engineUnderTest(text, {}, { policies: codePolicies({ outer, fails }) }));
  envoy.chunk("a");
  envoy.respond();
  resolve();
  await expect.poll(() => envoy.events.at(-1)).toEqual({ end: "ok" });
  expect(envoy.events.at(-2)).toMatchObject({ reply: 500, code: "policy-failed", headers: { "x-outer": ["seen"] } });
  envoy.hangUp();
});
