import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { OpenStream, StreamMetadata, Transport } from "../../src/kernel/transport.ts";
import { extProcClient } from "../support/ext-proc-client.ts";
import { transports } from "../support/transports.ts";
import { conversationFiles, engineDoes } from "./conversation.ts";
import { type Connect, type Envoy, eventQueue, hold } from "./hold.ts";

const levels: readonly { readonly name: string; readonly connect: Connect }[] = [
  { name: "in process", connect: connectDirectly },
  ...transports.map(([name]) => ({
    name: `over a gRPC stream of ${name}`,
    connect: (open: OpenStream, metadata: Readonly<Record<string, string>>) => connectOverGrpc(socketPath(name), open, metadata),
  })),
];

let running: readonly Transport[] = [];
let served: OpenStream;

beforeAll(async () => {
  running = await Promise.all(
    transports.map(async ([name, create]) => {
      const addresses = [{ kind: "unix", path: socketPath(name) }] as const;
      const transport = create({ addresses, serving: () => true, messageBytesMax: 1024 * 1024 });
      await transport.listen((metadata, sink) => served(metadata, sink));
      return transport;
    }),
  );
});

afterAll(async () => {
  await Promise.all(running.map((transport) => transport.close()));
  for (const [name] of transports) rmSync(socketPath(name), { force: true });
});

function socketPath(transport: string): string {
  return join(tmpdir(), `conversations-${process.pid}-${transport}.sock`);
}

for (const level of levels) {
  for (const { file, config, conversations } of conversationFiles()) {
    describe(`${file} ${level.name}`, () => {
      test.for(conversations.map((conversation) => [conversation.name, conversation] as const))("%s", ([, conversation]) =>
        hold(conversation, config, level.connect),
      );
    });
  }
}

function connectDirectly(open: OpenStream, metadata: Readonly<Record<string, string>>): Envoy {
  const queue = eventQueue();
  const streamMetadata: StreamMetadata = { get: (key) => metadata[key] };
  const handler = open(streamMetadata, {
    send: (bytes) => {
      queue.push(engineDoes(bytes));
      return true;
    },
    sendAndEnd: (bytes) => {
      queue.push(engineDoes(bytes));
      queue.push({ end: "ok" });
    },
    end: () => queue.push({ end: "ok" }),
    fail: (status) => queue.push({ end: status === "unavailable" ? "unavailable" : "internal" }),
    pause: () => {},
    resume: () => {},
  });
  return {
    send: (bytes) => handler.message(bytes),
    halfClose: () => handler.halfClosed(),
    next: (withinMs) => queue.next(withinMs),
    hangUp: () => handler.closed(),
  };
}

function connectOverGrpc(path: string, open: OpenStream, metadata: Readonly<Record<string, string>>): Envoy {
  served = open;
  const client = extProcClient(`unix:${path}`);
  const sent = new Metadata();
  for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
  const call = client.makeBidiStreamRequest(
    "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => bytes,
    sent,
  );
  const queue = eventQueue();
  call.on("data", (bytes: Buffer) => queue.push(engineDoes(bytes)));
  call.on("error", () => {});
  call.on("status", ({ code }: { code: number }) => {
    const ends: Readonly<Record<number, "ok" | "internal" | "unavailable">> = { 0: "ok", 13: "internal", 14: "unavailable" };
    const end = ends[code];
    // 1 is our own hanging up.
    if (end !== undefined) queue.push({ end });
    else if (code !== 1) throw new Error(`unexpected status ${code}`);
  });
  return {
    send: (bytes) => call.write(bytes),
    halfClose: () => call.end(),
    next: (withinMs) => queue.next(withinMs),
    hangUp: () => {
      call.cancel();
      client.close();
    },
  };
}
