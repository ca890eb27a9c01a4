/** The conversations once more, with Envoy's side spoken by grpc-go and Envoy's own types: what we write means the same to others. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { OpenStream, Transport } from "../../src/kernel/transport.ts";
import { buildGoClient, type GoClient, startGoClient } from "../support/go-client.ts";
import { transports } from "../support/transports.ts";
import { type Conversation, conversationFiles, engineDoes } from "./conversation.ts";
import { type Envoy, eventQueue, hold } from "./hold.ts";

const conversationMsMax = 60_000;
const buildMsMax = 310_000;

describe.for(transports)("%s", ([name, create]) => {
  const socket = join(tmpdir(), `conversations-${process.pid}-go-${name}.sock`);
  let transport: Transport;
  let served: OpenStream;
  let client: GoClient | undefined;
  let missing = "";

  beforeAll(async () => {
    transport = create({ addresses: [{ kind: "unix", path: socket }], serving: () => true, messageBytesMax: 1024 * 1024 });
    await transport.listen((metadata, sink) => served(metadata, sink));
    const program = await buildGoClient();
    if ("missing" in program) missing = program.missing;
    else client = startGoClient(program.path, `unix:${socket}`);
  }, buildMsMax);

  afterAll(async () => {
    await client?.close();
    await transport.close();
    rmSync(socket, { force: true });
  });

  test.for(conversationFiles())("$file", { timeout: conversationMsMax }, async ({ config, conversations }, { skip }) => {
    if (client === undefined) return skip(missing);
    const speaking = client;
    for (const conversation of conversations.filter(isOfMessages)) {
      await hold(conversation, config, (open, metadata) => {
        served = open;
        return connect(speaking, metadata);
      }).catch((cause: unknown) => {
        throw new Error(`${conversation.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
    }
  });
});

/** Whoever speaks by types cannot say bytes that are no message. */
function isOfMessages({ exchange }: Conversation): boolean {
  return exchange.every(({ envoy }) => envoy === "half-close" || envoy.hex === undefined);
}

function connect(client: GoClient, metadata: Readonly<Record<string, string>>): Envoy {
  const queue = eventQueue();
  const stream = client.open({
    metadata: Object.entries(metadata),
    answered: (bytes) => queue.push(engineDoes(bytes)),
    ended: ({ code, text }) => {
      const end = ends.get(code);
      if (end !== undefined) queue.push({ end });
      else if (code !== status.CANCELLED) throw new Error(`unexpected status ${code}: ${text}`);
    },
  });
  return { ...stream, next: queue.next, hangUp: stream.cancel };
}

const ends: ReadonlyMap<number, "ok" | "internal" | "unavailable"> = new Map([
  [status.OK, "ok"],
  [status.INTERNAL, "internal"],
  [status.UNAVAILABLE, "unavailable"],
]);
