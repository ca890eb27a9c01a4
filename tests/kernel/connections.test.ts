/** The same promises over real connections that behave badly: cut frames, resets, half-closes and broken connections at any moment. */
import { rmSync } from "node:fs";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyInstance } from "@envoy-policy-engine/sdk";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { OpenStream } from "../../src/kernel/transport.ts";
import { engineDoes, envoyBytes } from "../conversations/conversation.ts";
import { engineUnderTest } from "../conversations/engine-under-test.ts";
import { chainOf, codePolicies } from "../support/code-policy.ts";
import { transports } from "../support/transports.ts";

const steps = {
  denies: { request: () => ({ status: 403 }) },
  "denies-later": {
    request: async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return { status: 403 };
    },
  },
  hangs: { request: () => new Promise<undefined>(() => {}) },
} satisfies Record<string, PolicyInstance>;

const actions = ["ask", "ask-in-pieces", "half-a-message", "too-large", "compressed", "half-close", "reset", "wait"] as const;
type Action = (typeof actions)[number];

const request = frame(envoyBytes({ message: "request-headers", headers: { ":method": "GET", ":path": "/" } }, true, "route"));

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

interface Seen {
  readonly answers: Buffer;
  readonly status: string | undefined;
  readonly asked: boolean;
}

async function play(session: ClientHttp2Session, does: readonly Action[]): Promise<Seen> {
  const stream = session.request({
    ":method": "POST",
    ":path": "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    "content-type": "application/grpc",
    te: "trailers",
    "x-route": "r:route",
  });
  const chunks: Buffer[] = [];
  let status: string | undefined;
  let asked = false;
  const note = (headers: IncomingHttpHeaders): void => {
    const value = headers["grpc-status"];
    if (typeof value === "string") status = value;
  };
  stream.on("response", note);
  stream.on("trailers", note);
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => {});
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  for (const action of does) {
    if (stream.destroyed || stream.writableEnded) break;
    if (action.startsWith("ask")) asked = true;
    await perform(stream, action);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
  if (!stream.writableEnded && !stream.destroyed) stream.end();
  await closed;
  return { answers: Buffer.concat(chunks), status, asked };
}

async function perform(stream: ClientHttp2Stream, action: Action): Promise<void> {
  switch (action) {
    case "ask":
      stream.write(request);
      return;
    case "ask-in-pieces":
      for (const [from, to] of [[0, 3], [3, 7], [7, 20], [20]] as const) {
        stream.write(request.subarray(from, to));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return;
    case "half-a-message":
      stream.write(request.subarray(0, 9));
      return;
    case "too-large":
      stream.write(frame(Buffer.alloc(5000)));
      return;
    case "compressed":
      stream.write(Buffer.concat([Buffer.of(1), request.subarray(1)]));
      return;
    case "half-close":
      stream.end();
      return;
    case "reset":
      stream.close(constants.NGHTTP2_CANCEL);
      return;
    case "wait":
      await new Promise((resolve) => setTimeout(resolve, 3));
      return;
    default:
      return action satisfies never;
  }
}

/** What came back, frame by frame; a frame that is cut short is left out. */
function repliesIn(bytes: Buffer): readonly unknown[] {
  const replies: unknown[] = [];
  for (let rest = bytes; rest.length >= 5; ) {
    const end = 5 + rest.readUInt32BE(1);
    if (rest.length < end) break;
    replies.push(engineDoes(rest.subarray(5, end)));
    rest = rest.subarray(end);
  }
  return replies;
}

describe.for(transports)("%s", ([name, create]) => {
  const socketPath = join(tmpdir(), `connections-${process.pid}-${name}.sock`);
  let served: OpenStream;

  beforeAll(async () => {
    const addresses = [{ kind: "unix", path: socketPath }] as const;
    const transport = create({ addresses, serving: () => true, messageBytesMax: 4096 });
    await transport.listen((metadata, sink) => served(metadata, sink));
    return async () => {
      await transport.close();
      rmSync(socketPath, { force: true });
    };
  });

  test.for(Object.keys(steps))("nobody passes, and nothing is left: %s", async (chain) => {
    const engine = await engineUnderTest(chainOf(chain).replace("100ms", "10ms"), {}, { policies: codePolicies(steps) });
    served = engine.open;
    const connection = fc.record({
      streams: fc.array(fc.array(fc.constantFrom(...actions), { maxLength: 4 }), { minLength: 1, maxLength: 12 }),
      cutAfterMs: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(connection, async ({ streams, cutAfterMs }) => {
        const session = connect("http://localhost", { createConnection: () => connectSocket(socketPath) });
        session.on("error", () => {});
        const cut = cutAfterMs === undefined ? undefined : setTimeout(() => session.destroy(), cutAfterMs);
        const all = await Promise.all(streams.map((does) => play(session, does)));
        clearTimeout(cut);
        session.destroy();
        for (const { answers, status, asked } of all) {
          const replies = repliesIn(answers);
          expect(replies.length).toBeLessThanOrEqual(1);
          for (const reply of replies) expect(reply).toHaveProperty("reply");
          // Status OK without a reply lets the request pass, unless there was none.
          if (status === "0" && replies.length === 0) expect(asked).toBe(false);
        }
        await expect.poll(() => engine.counters.read().open, { interval: 1, timeout: 5_000 }).toBe(0);
        await expect.poll(() => engine.openTimers(), { interval: 1, timeout: 5_000 }).toBe(0);
      }),
      { seed: 5, numRuns: 40 },
    );
    await expect.poll(() => engine.openGenerations(), { interval: 1, timeout: 5_000 }).toBe(0);
  });
});
