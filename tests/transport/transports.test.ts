import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../src/generated/proto/grpc/health/v1/health.ts";
import type { OpenStream, StreamSink, Transport, TransportOptions } from "../../src/kernel/transport.ts";
import { extProcClient } from "../support/ext-proc-client.ts";
import { transports } from "../support/transports.ts";

let folder: string;
const opened: { close(): unknown }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "transport-"));
});

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Seen {
  readonly metadata: Record<string, string | undefined>;
  readonly messages: string[];
  readonly events: string[];
  sink: StreamSink | undefined;
}

/** A handler that writes down what it is told. */
function recorder(keys: readonly string[] = []): { readonly open: OpenStream; readonly seen: Seen } {
  const seen: Seen = { metadata: {}, messages: [], events: [], sink: undefined };
  return {
    seen,
    open: (metadata, sink) => {
      seen.sink = sink;
      for (const key of keys) seen.metadata[key] = metadata.get(key);
      return {
        message: (bytes) => void seen.messages.push(Buffer.from(bytes).toString("utf8")),
        halfClosed: () => void seen.events.push("half-closed"),
        closed: () => void seen.events.push("closed"),
        drained: () => void seen.events.push("drained"),
      };
    },
  };
}

function start(client: Client, metadata = new Metadata()) {
  const call = client.makeBidiStreamRequest(
    "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
    metadata,
  );
  const answers: string[] = [];
  call.on("data", (bytes: Buffer) => answers.push(bytes.toString("utf8")));
  const ended = new Promise<number>((resolve) => {
    call.on("status", ({ code }: { code: number }) => resolve(code));
    call.on("error", () => {});
  });
  return { call, answers, ended };
}

describe.for(transports)("%s", ([, create]) => {
  async function listen(
    open: OpenStream,
    options: { readonly serving?: () => boolean; readonly messageBytesMax?: number } = {},
  ): Promise<{ transport: Transport; target: string; client: Client }> {
    const path = join(folder, "engine.sock");
    const transport = create({ addresses: [{ kind: "unix", path }], serving: () => true, messageBytesMax: 1024, ...options });
    await transport.listen(open);
    opened.push(transport);
    const client = extProcClient(`unix:${path}`);
    opened.push(client);
    return { transport, target: `unix:${path}`, client };
  }

  describe("streams", () => {
    test("messages cross as bytes, in order, both ways", async () => {
      const { open, seen } = recorder();
      const { client } = await listen(open);
      const { call, answers, ended } = start(client);
      call.write(Buffer.from("one"));
      call.write(Buffer.from("two"));
      await expect.poll(() => seen.messages).toEqual(["one", "two"]);
      seen.sink?.send(Buffer.from("first"));
      seen.sink?.sendAndEnd(Buffer.from("last"));
      expect(await ended).toBe(status.OK);
      expect(answers).toEqual(["first", "last"]);
      await expect.poll(() => seen.events).toContain("closed");
    });

    test("after the end nothing more is written, whoever asks for it", async () => {
      const { open, seen } = recorder();
      const { client } = await listen(open);
      const { call, answers, ended } = start(client);
      call.write(Buffer.from("one"));
      await expect.poll(() => seen.messages).toEqual(["one"]);
      seen.sink?.sendAndEnd(Buffer.from("only"));
      seen.sink?.send(Buffer.from("late"));
      seen.sink?.end();
      seen.sink?.fail("internal", "late");
      expect(await ended).toBe(status.OK);
      expect(answers).toEqual(["only"]);
    });

    test.for([
      ["internal", status.INTERNAL],
      ["unavailable", status.UNAVAILABLE],
      ["resource-exhausted", status.RESOURCE_EXHAUSTED],
      ["invalid-argument", status.INVALID_ARGUMENT],
    ] as const)("a stream that fails with %s never ends with OK", async ([code, expected]) => {
      const { open, seen } = recorder();
      const { client } = await listen(open);
      const { call, ended } = start(client);
      call.write(Buffer.from("one"));
      await expect.poll(() => seen.messages).toEqual(["one"]);
      seen.sink?.fail(code, "why");
      expect(await ended).toBe(expected);
    });

    test("half-close and hanging up are told apart, and closed comes last and once", async () => {
      const { open, seen } = recorder();
      const { client } = await listen(open);
      const politely = start(client);
      politely.call.end();
      await expect.poll(() => seen.events).toEqual(["half-closed"]);
      seen.sink?.end();
      expect(await politely.ended).toBe(status.OK);
      await expect.poll(() => seen.events).toEqual(["half-closed", "closed"]);
      seen.events.length = 0;
      const rudely = start(client);
      rudely.call.write(Buffer.from("one"));
      await expect.poll(() => seen.messages).toEqual(["one"]);
      rudely.call.cancel();
      // Node tells of a reset as of an end, first; what counts is that nothing follows `closed`.
      await expect.poll(() => seen.events.at(-1)).toBe("closed");
      expect(seen.events.filter((event) => event === "closed")).toHaveLength(1);
    });

    test("a message over the limit ends the stream with an error", async () => {
      const { open, seen } = recorder();
      const { client } = await listen(open, { messageBytesMax: 100 });
      const { call, ended } = start(client);
      call.write(Buffer.alloc(101));
      expect(await ended).toBe(status.RESOURCE_EXHAUSTED);
      expect(seen.messages).toEqual([]);
    });
  });

  describe("stream metadata", () => {
    test("a key that is absent, present, sent twice, and one that is not ASCII", async () => {
      const { open, seen } = recorder(["x-absent", "x-route", "x-twice", "x-utf8-bin"]);
      const { client } = await listen(open);
      const metadata = new Metadata();
      metadata.set("x-route", "r:pets");
      metadata.add("x-twice", "a");
      metadata.add("x-twice", "b");
      metadata.set("x-utf8-bin", Buffer.from("r:größe"));
      start(client, metadata).call.write(Buffer.from("one"));
      await expect.poll(() => seen.messages).toEqual(["one"]);
      expect(seen.metadata).toEqual({
        "x-absent": undefined,
        "x-route": "r:pets",
        // Joined: as the name of a route it is one that nobody knows.
        "x-twice": "a, b",
        "x-utf8-bin": "r:größe",
      });
    });
  });

  describe("health", () => {
    const check = (client: Client, service: string): Promise<number> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          "/grpc.health.v1.Health/Check",
          (message: HealthCheckRequest) => Buffer.from(HealthCheckRequest.encode(message).finish()),
          (bytes: Buffer) => HealthCheckResponse.decode(bytes),
          { service },
          (error: ServiceError | null, answer?: HealthCheckResponse) => (error === null ? resolve(answer?.status ?? 0) : reject(error)),
        );
      });

    test("on the same port: SERVING follows the engine, unknown services are not found", async () => {
      let serving = false;
      const { client } = await listen(recorder().open, { serving: () => serving });
      expect(await check(client, "")).toBe(ServingStatus.NOT_SERVING);
      serving = true;
      expect(await check(client, "")).toBe(ServingStatus.SERVING);
      expect(await check(client, "envoy.service.ext_proc.v3.ExternalProcessor")).toBe(ServingStatus.SERVING);
      await expect(check(client, "other")).rejects.toMatchObject({ code: status.NOT_FOUND });
    });
  });

  describe("addresses", () => {
    const transportOn = (...addresses: TransportOptions["addresses"]): Transport => {
      const transport = create({ addresses, serving: () => true, messageBytesMax: 1024 });
      opened.push(transport);
      return transport;
    };
    const listening = (path: string): Promise<Server> =>
      new Promise((resolve) => {
        const server = createServer().listen(path, () => resolve(server));
      });

    test("a TCP port and a Unix socket at once; port 0 is filled in", async () => {
      const path = join(folder, "engine.sock");
      const bound = await transportOn({ kind: "tcp", host: "127.0.0.1", port: 0 }, { kind: "unix", path }).listen(recorder().open);
      expect(bound).toEqual([
        { kind: "tcp", host: "127.0.0.1", port: expect.any(Number) },
        { kind: "unix", path },
      ]);
      expect(bound[0]).not.toHaveProperty("port", 0);
    });

    test("a socket file that a killed process has left behind is replaced", async () => {
      const path = join(folder, "engine.sock");
      const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
      spawnSync(process.execPath, ["-e", script]);
      expect(existsSync(path)).toBe(true);
      await expect(transportOn({ kind: "unix", path }).listen(recorder().open)).resolves.toHaveLength(1);
    });

    test("one on which somebody listens is refused, and a file that is no socket is left alone", async () => {
      const path = join(folder, "other.sock");
      const other = await listening(path);
      await expect(transportOn({ kind: "unix", path }).listen(recorder().open)).rejects.toThrow("another process is listening");
      other.close();
      const file = join(folder, "file");
      writeFileSync(file, "mine");
      await expect(transportOn({ kind: "unix", path: file }).listen(recorder().open)).rejects.toThrow("is no socket");
      expect(existsSync(file)).toBe(true);
    });

    test("when one address cannot be bound none is", async () => {
      const path = join(folder, "engine.sock");
      const taken = join(folder, "taken.sock");
      const other = await listening(taken);
      await expect(transportOn({ kind: "unix", path }, { kind: "unix", path: taken }).listen(recorder().open)).rejects.toThrow();
      const client = extProcClient(`unix:${path}`);
      opened.push(client);
      expect(await start(client).ended).toBe(status.UNAVAILABLE);
      other.close();
    });
  });

  describe("drain", () => {
    test("open streams go on, new ones are refused, and it resolves when the last has ended", async () => {
      const { open, seen } = recorder();
      const { transport, client, target } = await listen(open);
      const { call, ended, answers } = start(client);
      call.write(Buffer.from("one"));
      await expect.poll(() => seen.messages).toEqual(["one"]);
      let drained = false;
      const draining = transport.drain().then(() => {
        drained = true;
      });
      const late = extProcClient(target);
      opened.push(late);
      expect(await start(late).ended).toBe(status.UNAVAILABLE);
      expect(drained).toBe(false);
      seen.sink?.sendAndEnd(Buffer.from("answer"));
      call.end();
      expect(await ended).toBe(status.OK);
      expect(answers).toEqual(["answer"]);
      await draining;
    });
  });

  test("on this Node the limit of resets is lifted: thousands of streams that the client resets leave the connection alone", async () => {
    const { open } = recorder();
    const { client } = await listen((metadata, sink) => {
      const handler = open(metadata, sink);
      return { ...handler, message: () => sink.sendAndEnd(Buffer.from("answer")) };
    });
    const connection = client.getChannel();
    for (let round = 0; round < 30; round++) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const { call, answers } = start(client);
          call.write(Buffer.from("one"));
          await expect.poll(() => answers, { interval: 1 }).toEqual(["answer"]);
          call.cancel();
        }),
      );
    }
    expect(connection.getConnectivityState(false)).toBe(2);
  });
});
