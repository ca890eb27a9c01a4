/** Through a real Envoy: whatever ends a body in the middle, nobody gets a part of it as the whole. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Piece, Protocol, UpstreamScript } from "../conformance/case.ts";
import { type ClientSaw, sendRequest } from "../conformance/client.ts";
import { type ConformanceStage, startConformanceStage } from "../conformance/conformance-stage.ts";
import { readChunks } from "../conformance/http1-message.ts";
import { getFramed } from "./http2-frames.ts";

let stage: ConformanceStage;

const protocols: readonly Protocol[] = ["http1", "http2"];
const chunkedHead = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const chunked = { "transfer-encoding": "chunked" };
const failures = [
  ["stream-throws", 500, "policy-failed"],
  ["stream-rejects", 500, "policy-failed"],
  ["stream-nonsense", 500, "policy-failed"],
  ["stream-aborts", 500, "stream-aborted"],
  ["stream-hangs", 504, "policy-timeout"],
] as const;

beforeAll(async () => {
  stage = await startConformanceStage({ modes: "printed" });
  return () => stage.close();
});

describe.each(protocols)("over %s", (protocol) => {
  test.for(failures)(
    "a request's body that ends in %s is answered, and the upstream has no whole request",
    async ([chain, status, code]) => {
      const { client, upstream, exchange } = await hold(protocol, chain, [
        { send: "hello" },
        { waitMs: 50 },
        { send: "stop!" },
        { waitMs: 50 },
      ]);
      expect(client).toMatchObject({ status, ended: "whole", body: expect.stringContaining(`"code":"${code}"`) });
      expect(client.headers).toContainEqual(["x-outer", "seen"]);
      expectParts(upstream, "hello");
      expect(exchange.ended).toBe("ok");
    },
  );

  test("one that fails at once leaves the upstream nothing of its body", async () => {
    const { client, upstream } = await hold(protocol, "stream-throws", [{ send: "stop!" }]);
    expect(client.status).toBe(500);
    expectParts(upstream, "");
  });

  test("a client that leaves leaves the upstream with a part that has no end", async () => {
    const { client, upstream, exchange } = await hold(protocol, "stream-both", [
      { send: "a" },
      { waitMs: 50 },
      { send: "b" },
      { waitMs: 50 },
      "leave",
    ]);
    expect(client.status).toBe("gone");
    expectParts(upstream, "AB");
    expect(exchange.ended).toBe("unavailable");
  });

  test("responses and requests under way at once do not touch each other", async () => {
    const body: readonly Piece[] = [
      { send: "aaaa" },
      { waitMs: 50 },
      { send: "bbbb" },
      { waitMs: 50 },
      { send: "cccc" },
      { waitMs: 100 },
      { send: "dddd" },
    ];
    const answer = [
      { send: `${chunkedHead}5\r\nhello\r\n` },
      { waitMs: 100 },
      { send: "3\r\nfoo\r\n" },
      { waitMs: 300 },
      { send: "0\r\n\r\n" },
    ];
    const { client, upstream, exchange } = await hold(protocol, "stream-both", body, { at: "headers", answer });
    expect(client).toMatchObject({ status: 200, ended: "whole", body: "HELLOFOO|END" });
    expect(upstream).toEqual([{ body: "AAAABBBBCCCCDDDD|end", whole: true }]);
    expect(exchange.ended).toBe("ok");
    // The response came in the middle: its headers behind a part of the request's body, and before the rest of it.
    const order = exchange.saw.map((message) => message.split(" ")[0]);
    expect(order.indexOf("response-headers")).toBeGreaterThan(order.indexOf("request-body"));
    expect(order.lastIndexOf("request-body")).toBeGreaterThan(order.indexOf("response-headers"));
  });

  test("a response that is whole before its request ends the request", async () => {
    const body: readonly Piece[] = [{ send: "aaaa" }, { waitMs: 200 }, { send: "bbbb" }];
    const answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    const { client, upstream, exchange } = await hold(protocol, "stream-both", body, { at: "headers", answer });
    expect(client).toMatchObject({ status: 200, ended: "whole", body: "HELLO|END" });
    expectParts(upstream, "AAAA");
    expect(exchange.ended).toBe("unavailable");
  });
});

describe("a response's body", () => {
  const inPieces = [
    { send: `${chunkedHead}5\r\nhello\r\n` },
    { waitMs: 50 },
    { send: "5\r\nstop!\r\n" },
    { waitMs: 50 },
    { send: "0\r\n\r\n" },
  ];

  test.for(failures)("that ends in %s is cut off over HTTP/1", async ([chain]) => {
    const { client, exchange } = await hold("http1", chain, undefined, { answer: inPieces });
    expect(client).toMatchObject({ status: 200, ended: "cut", body: "hello" });
    expect(exchange.ended).toBe("internal");
  });

  test.for(failures)("that ends in %s is cut off over HTTP/2", async ([chain]) => {
    stage.upstream.begin({ answer: inPieces });
    expect(await getFramed(stage.envoy.port, `/${chain}`)).toEqual({ body: "hello", ended: "cut" });
    await stage.engine.exchanges();
  });

  test("that its upstream breaks off is cut off, and the transform is not told of an end", async () => {
    const answer = [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello" }, { waitMs: 50 }, "leave" as const];
    const { client, exchange } = await hold("http1", "stream-both", undefined, { answer });
    expect(client).toMatchObject({ ended: "cut", body: "HELLO" });
    expect(exchange.ended).toBe("unavailable");
    stage.upstream.begin({ answer });
    expect(await getFramed(stage.envoy.port, "/stream-both")).toEqual({ body: "HELLO", ended: "cut" });
    await stage.engine.exchanges();
  });

  test("that fails at once is an error of Envoy's", async () => {
    const { client } = await hold("http1", "stream-throws", undefined, { answer: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstop!" });
    expect(client.status).toBe(503);
  });
});

test("no answer was one too many", async () => {
  const stats = await stage.envoy.stats("ext_proc");
  expect(stats.get("http.ingress.ext_proc.spurious_msgs_received")).toBe(0);
});

/** How much of it the upstream has got by then is a matter of time; a whole request it must not have, nor anything that is not of its beginning. */
function expectParts(upstream: readonly { readonly body: string; readonly whole: boolean }[], beginning: string): void {
  for (const { body, whole } of upstream) expect({ whole, begins: beginning.startsWith(body) }).toEqual({ whole: false, begins: true });
}

async function hold(
  protocol: Protocol,
  chain: string,
  body: readonly Piece[] | undefined,
  script: UpstreamScript = {},
): Promise<{
  readonly client: Omit<ClientSaw, "body"> & { readonly body: string };
  readonly upstream: readonly { readonly body: string; readonly whole: boolean }[];
  readonly exchange: { readonly saw: readonly string[]; readonly ended: string };
}> {
  stage.upstream.begin(script);
  await stage.engine.exchanges();
  const stimulus = body === undefined ? { request: `GET /${chain}` } : { request: `POST /${chain}`, headers: chunked, body };
  const client = await sendRequest(stage.envoy.port, stimulus, protocol);
  const [exchange = { saw: [], ended: "none" }] = await stage.engine.exchanges();
  const upstream = stage.upstream.seen().map(({ raw }) => {
    const { body: bytes, end } = readChunks(raw);
    return { body: bytes.toString("latin1"), whole: end !== undefined };
  });
  return { client: { ...client, body: client.body.toString("utf8") }, upstream, exchange };
}
