/** grpc-go as a client of the transports: what streams, deadlines and limits come to where both ends were not written by the same people. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ProcessingRequest, ProcessingResponse } from "../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { OpenStream, StreamMetadata, StreamSink, Transport } from "../../src/kernel/transport.ts";
import {
  buildGoClient,
  type GoClient,
  type GoClientProgram,
  type GoStreamEnd,
  type GoStreamPlan,
  startGoClient,
} from "../support/go-client.ts";
import { transports } from "../support/transports.ts";

const messageBytesMax = 4 * 1024 ** 2;
const buildMsMax = 310_000;
const whenever = { timeout: 10_000 };

/** A stream as the server sees it. */
interface Served {
  readonly metadata: StreamMetadata;
  readonly sink: StreamSink;
  readonly messages: ProcessingRequest["request"][];
  readonly events: string[];
}

describe.for(transports)("%s", ([name, create]) => {
  const socket = join(tmpdir(), `go-client-${process.pid}-${name}.sock`);
  let transport: Transport;
  let program: GoClientProgram;
  let client: GoClient | undefined;
  let served: Served[] = [];
  /** What the server does with a message, beside writing it down. */
  let answer: (stream: Served, message: ProcessingRequest["request"]) => void;

  const open: OpenStream = (metadata, sink) => {
    const stream: Served = { metadata, sink, messages: [], events: [] };
    served.push(stream);
    return {
      message(bytes) {
        const { request } = ProcessingRequest.decode(bytes);
        stream.messages.push(request);
        answer(stream, request);
      },
      halfClosed: () => void stream.events.push("half-closed"),
      closed: () => void stream.events.push("closed"),
      drained: () => void stream.events.push("drained"),
    };
  };

  beforeAll(async () => {
    transport = create({ addresses: [{ kind: "unix", path: socket }], serving: () => true, messageBytesMax });
    await transport.listen(open);
    program = await buildGoClient();
  }, buildMsMax);

  beforeEach(() => {
    served = [];
    answer = () => {};
  });

  afterAll(async () => {
    await client?.close();
    await transport.close();
    rmSync(socket, { force: true });
  });

  const pathOr = (skip: (reason: string) => never): string => ("path" in program ? program.path : skip(program.missing));
  const clientOr = (skip: (reason: string) => never): GoClient => {
    client ??= startGoClient(pathOr(skip), `unix:${socket}`);
    return client;
  };

  test("headers, a body in pieces and trailers, each answered before the next, and OK with the last answer", async ({ skip }) => {
    const call = start(clientOr(skip));
    answer = answerAndEnd;
    for (const [count, message] of conversation("x".repeat(100_000)).entries()) {
      call.stream.send(message);
      await expect.poll(() => call.answers.length, whenever).toBe(count + 1);
    }
    expect(await call.ended).toEqual({ code: status.OK, text: "" });
    expect(call.answers).toEqual(conversation("x".repeat(100_000)).map(caseOf));
    await expect.poll(() => served[0]?.events.at(-1), whenever).toBe("closed");
  });

  test("2,000 streams on one connection, 500 at once, each with a conversation of its own", async ({ skip }) => {
    const speaking = clientOr(skip);
    answer = answerAndEnd;
    for (let round = 0; round < 4; round++) {
      const calls = Array.from({ length: 500 }, (_, index) => ({
        index,
        call: start(speaking, { metadata: [["x-route", `r:${index}`]] }),
      }));
      for (const { index, call } of calls) for (const message of conversation(`body ${index}`)) call.stream.send(message);
      const ends = await Promise.all(calls.map(({ call }) => call.ended));
      expect(ends.filter(({ code }) => code !== status.OK)).toEqual([]);
      expect(calls.filter(({ call }) => call.answers.length !== 5)).toEqual([]);
    }
    expect(served.length).toBe(2_000);
    for (const { metadata, messages } of served) {
      const index = metadata.get("x-route")?.slice(2);
      expect(messages.map(bodyOf).join("")).toBe(`body ${index}`.repeat(3));
    }
    await expect.poll(() => served.every(({ events }) => events.at(-1) === "closed"), whenever).toBe(true);
  });

  test("metadata: in order, twice, and bytes", async ({ skip }) => {
    const bytes = "r:größe";
    const call = start(clientOr(skip), {
      metadata: [
        ["x-route", "r:orders"],
        ["x-twice", "a"],
        ["x-twice", "b"],
        ["x-route-bin", bytes],
      ],
    });
    await expect.poll(() => served.length, whenever).toBe(1);
    const [stream] = served;
    expect(["x-route", "x-twice", "x-route-bin", "x-absent"].map((key) => stream?.metadata.get(key))).toEqual([
      "r:orders",
      "a, b",
      bytes,
      undefined,
    ]);
    stream?.sink.end();
    expect(await call.ended).toMatchObject({ code: status.OK });
  });

  test("a deadline that passes while the server thinks", async ({ skip }) => {
    const call = start(clientOr(skip), { deadlineMs: 100 });
    call.stream.send(headersMessage());
    expect(await call.ended).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await expect.poll(() => served[0]?.events.at(-1), whenever).toBe("closed");
    expect(served[0]?.messages).toHaveLength(1);
  });

  test("a client that cancels is gone, and the connection serves others", async ({ skip }) => {
    const speaking = clientOr(skip);
    const call = start(speaking);
    call.stream.send(headersMessage());
    await expect.poll(() => served[0]?.messages.length, whenever).toBe(1);
    call.stream.cancel();
    expect(await call.ended).toMatchObject({ code: status.CANCELLED });
    await expect.poll(() => served[0]?.events.at(-1), whenever).toBe("closed");
    served[0]?.sink.send(answerTo({ $case: "requestTrailers", value: {} }));
    answer = ({ sink }, message) => sink.sendAndEnd(answerTo(message));
    const next = start(speaking);
    next.stream.send(headersMessage());
    expect(await next.ended).toMatchObject({ code: status.OK });
  });

  test("a half-close comes after what was sent before it, and answers may follow it", async ({ skip }) => {
    const call = start(clientOr(skip));
    for (const message of conversation("late")) call.stream.send(message);
    call.stream.halfClose();
    await expect.poll(() => served[0]?.events, whenever).toEqual(["half-closed"]);
    const [stream] = served;
    expect(stream?.messages).toHaveLength(5);
    for (const message of stream?.messages ?? []) stream?.sink.send(answerTo(message));
    stream?.sink.end();
    expect(await call.ended).toMatchObject({ code: status.OK });
    expect(call.answers).toHaveLength(5);
  });

  test("messages just within the limit arrive whole in both directions; one over it ends its stream alone", async ({ skip }) => {
    const speaking = clientOr(skip);
    const other = start(speaking);
    other.stream.send(headersMessage());
    await expect.poll(() => served[0]?.messages.length, whenever).toBe(1);
    answer = ({ sink }, message) => sink.send(answerTo(message));
    const call = start(speaking);
    const large = ofSize(messageBytesMax);
    for (let count = 1; count <= 3; count++) {
      call.stream.send(large);
      await expect.poll(() => call.answers.length, whenever).toBe(count);
    }
    const body = ProcessingRequest.decode(large).request;
    expect(served[1]?.messages.map(bodyOf)).toEqual(Array(3).fill(bodyOf(body)));
    expect(call.bodies.map(({ length }) => length)).toEqual(Array(3).fill(largeAnswerBytes));
    call.stream.send(ofSize(messageBytesMax + 1));
    expect(await call.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    served[0]?.sink.sendAndEnd(answerTo(served[0]?.messages[0]));
    expect(await other.ended).toMatchObject({ code: status.OK });
  });

  test("a stream that the server fails has its status and text", async ({ skip }) => {
    answer = ({ sink }) => sink.fail("unavailable", "shutting down, 100% sure");
    const call = start(clientOr(skip));
    call.stream.send(headersMessage());
    expect(await call.ended).toEqual({ code: status.UNAVAILABLE, text: "shutting down, 100% sure" });
  });

  test("a server that drains answers what is open, and tells the client to go elsewhere", async ({ skip }) => {
    const path = pathOr(skip);
    const address = `${socket}.drains`;
    const draining = create({ addresses: [{ kind: "unix", path: address }], serving: () => true, messageBytesMax });
    await draining.listen(open);
    const leaving = startGoClient(path, `unix:${address}`);
    const calls = Array.from({ length: 20 }, () => start(leaving));
    for (const { stream } of calls) stream.send(headersMessage());
    await expect.poll(() => served.flatMap(({ messages }) => messages).length, whenever).toBe(20);
    const drained = draining.drain();
    const late = start(leaving);
    late.stream.send(headersMessage());
    expect(await late.ended).toMatchObject({ code: status.UNAVAILABLE });
    for (const { sink, messages } of served) sink.sendAndEnd(answerTo(messages[0]));
    expect((await Promise.all(calls.map(({ ended }) => ended))).filter(({ code }) => code !== status.OK)).toEqual([]);
    await drained;
    await leaving.close();
    await draining.close();
  });
});

/** Trailers are the last that the client sends. */
function answerAndEnd({ sink }: Served, message: ProcessingRequest["request"]): void {
  const bytes = answerTo(message);
  if (message?.$case === "requestTrailers") sink.sendAndEnd(bytes);
  else sink.send(bytes);
}

function start(client: GoClient, plan: Omit<GoStreamPlan, "answered" | "ended"> = {}) {
  const answers: string[] = [];
  const bodies: Uint8Array[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<GoStreamEnd>();
  const stream = client.open({
    ...plan,
    answered(bytes) {
      const { response } = ProcessingResponse.decode(bytes);
      answers.push(response?.$case ?? "nothing");
      if (response?.$case !== "requestBody") return;
      const change = response.value.response?.bodyMutation?.mutation;
      if (change?.$case === "body") bodies.push(change.value);
    },
    ended: resolve,
  });
  return { stream, answers, bodies, ended };
}

/** As Envoy's filter sends a request whose body passes in pieces. */
function conversation(piece: string): readonly Uint8Array[] {
  const body = Buffer.from(piece);
  return [
    headersMessage(),
    encoded({ $case: "requestBody", value: { body } }),
    encoded({ $case: "requestBody", value: { body } }),
    encoded({ $case: "requestBody", value: { body } }),
    encoded({ $case: "requestTrailers", value: { trailers: { headers: [{ key: "x-sum", rawValue: Buffer.from("3") }] } } }),
  ];
}

const encoded = (request: ProcessingRequest["request"]): Uint8Array => ProcessingRequest.encode({ request }).finish();
const caseOf = (bytes: Uint8Array): string => ProcessingRequest.decode(bytes).request?.$case ?? "nothing";
const bodyOf = (message: ProcessingRequest["request"]): string =>
  message?.$case === "requestBody" ? Buffer.from(message.value.body ?? []).toString() : "";

function headersMessage(): Uint8Array {
  const headers = [
    [":method", "POST"],
    [":path", "/orders/1"],
    ["x-odd", "\u00c3("],
  ].map(([key = "", value = ""]) => ({ key, rawValue: Buffer.from(value, "latin1") }));
  return encoded({ $case: "requestHeaders", value: { headers: { headers } } });
}

/** A message of so many bytes, a megabyte at least. */
function ofSize(bytes: number): Uint8Array {
  const spare = encoded({ $case: "requestBody", value: { body: Buffer.alloc(bytes - 100, "x") } }).length - (bytes - 100);
  return encoded({ $case: "requestBody", value: { body: Buffer.alloc(bytes - spare, "x") } });
}

/** What grpc-go takes, of any server, unless it is told otherwise: 4 MiB. */
const largeAnswerBytes = 4 * 1024 ** 2 - 100;

const largeChange = { mutation: { $case: "body" as const, value: Buffer.alloc(largeAnswerBytes, "y") } };

/** A large body is answered by a large one. */
function answerTo(message: ProcessingRequest["request"]): Uint8Array {
  const response = bodyOf(message).length > 1024 ** 2 ? { bodyMutation: largeChange } : {};
  return ProcessingResponse.encode({ response: responseTo(message, response) }).finish();
}

function responseTo(message: ProcessingRequest["request"], response: object): ProcessingResponse["response"] {
  switch (message?.$case) {
    case "requestHeaders":
    case "requestBody":
      return { $case: message.$case, value: { response } };
    case "requestTrailers":
      return { $case: "requestTrailers", value: {} };
    default:
      throw new Error(`no test sends ${message?.$case}`);
  }
}
