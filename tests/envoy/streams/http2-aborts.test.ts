/** As in `aborts.test.ts`, with HTTP/2 to the upstream: a body that is broken off ends in no END_STREAM, on neither side. */
import { beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import type { Piece, Protocol } from "../conformance/case.ts";
import { type ClientSaw, sendRequest } from "../conformance/client.ts";
import { type ConformanceStage, startStageBefore } from "../conformance/conformance-stage.ts";
import { getFramed } from "./http2-frames.ts";
import { type Http2Piece, type Http2Upstream, type SeenRequest, startHttp2Upstream } from "./http2-upstream.ts";

let stage: ConformanceStage<Http2Upstream>;

beforeAll(async () => {
  stage = await startStageBefore({ modes: "printed", upstream: "http2" }, startHttp2Upstream);
  return () => stage.close();
});

const protocols: readonly Protocol[] = ["http1", "http2"];
const failures = [
  ["stream-throws", 500, "policy-failed"],
  ["stream-rejects", 500, "policy-failed"],
  ["stream-nonsense", 500, "policy-failed"],
  ["stream-aborts", 500, "stream-aborted"],
  ["stream-hangs", 504, "policy-timeout"],
] as const;
const usual: readonly Http2Piece[] = ["request-end", { send: "ok" }, "end"];
const pause = { waitMs: 50 };

describe.each(protocols)("a request's body over %s", (protocol) => {
  test.for(failures)("that ends in %s is answered, and the upstream has no whole request", async ([chain, status, code]) => {
    const { client, upstream, ended } = await upload(protocol, chain, [{ send: "hello" }, pause, { send: "stop!" }, pause], usual);
    expect(client).toMatchObject({ status, ended: "whole", body: expect.stringContaining(`"code":"${code}"`) });
    expectParts(upstream, "hello");
    expect(ended).toBe("ok");
  });

  test("that its client leaves has no end", async () => {
    const { client, upstream, ended } = await upload(protocol, "stream-both", [{ send: "a" }, pause, { send: "b" }, pause, "leave"], usual);
    expect(client.status).toBe("gone");
    expectParts(upstream, "AB");
    expect(ended).toBe("unavailable");
  });

  test.each<readonly [string, Http2Piece]>([
    ["refuses to hear to its end", { reset: "internal-error" }],
    ["stops hearing without an error", { reset: "no-error" }],
    ["drops with the connection", "disconnect"],
  ])("that the upstream %s is answered by Envoy", async (_how, broken) => {
    const body: readonly Piece[] = [{ send: "aaaa" }, { waitMs: 150 }, { send: "bbbb" }];
    const { client, upstream, ended } = await upload(protocol, "stream-both", body, [pause, broken]);
    expect(client).toMatchObject({ status: 503, ended: "whole" });
    expectParts(upstream, "AAAA");
    expect(ended).toBe("unavailable");
  });

  test("whose response is whole before it is broken off, and the response is whole (RFC 9113 8.1)", async () => {
    const body: readonly Piece[] = [{ send: "aaaa" }, { waitMs: 300 }, { send: "bbbb" }];
    const early: readonly Http2Piece[] = [pause, { send: "hello" }, "end", pause, { reset: "no-error" }];
    const { client, upstream } = await upload(protocol, "stream-both", body, early);
    expect(client).toMatchObject({ status: 200, ended: "whole", body: "HELLO|END" });
    expectParts(upstream, "AAAA");
  });
});

describe.each(protocols)("a response's body over %s", (protocol) => {
  const inPieces: readonly Http2Piece[] = [{ send: "hello" }, pause, { send: "stop!" }, pause, "end"];

  test.for(failures)("that ends in %s is cut off", async ([chain]) => {
    expect(await download(protocol, chain, inPieces)).toEqual({ body: "hello", ended: "cut", exchange: "internal" });
  });

  test.each<readonly [string, Http2Piece]>([
    ["a failure", { reset: "internal-error" }],
    ["a reset that names no error", { reset: "no-error" }],
    ["a lost connection", "disconnect"],
  ])("that its upstream ends with %s is cut off, and the transform is not told of an end", async (_how, broken) => {
    expect(await download(protocol, "stream-both", [{ send: "hello" }, pause, broken])).toEqual({
      body: "HELLO",
      ended: "cut",
      exchange: "unavailable",
    });
  });

  test("that comes to its end is whole", async () => {
    expect(await download(protocol, "stream-both", [{ send: "hello" }, pause, "end"])).toEqual({
      body: "HELLO|END",
      ended: "whole",
      exchange: "ok",
    });
  });
});

test("no answer was one too many", async () => {
  const stats = await stage.envoy.stats("ext_proc");
  expect(stats.get("http.ingress.ext_proc.spurious_msgs_received")).toBe(0);
});

/** How much of it the upstream has got by then is a matter of time; a whole request it must not have, nor anything that is not of its beginning. */
function expectParts(upstream: readonly SeenRequest[], beginning: string): void {
  for (const { body, ended } of upstream) expect({ ended, begins: beginning.startsWith(body) }).toEqual({ ended: "cut", begins: true });
}

async function upload(
  protocol: Protocol,
  chain: string,
  body: readonly Piece[],
  answer: readonly Http2Piece[],
): Promise<{
  readonly client: Omit<ClientSaw, "body"> & { readonly body: string };
  readonly upstream: readonly SeenRequest[];
  readonly ended: string | undefined;
}> {
  stage.upstream.begin(answer);
  await stage.engine.exchanges();
  const stimulus = { request: `POST /${chain}`, headers: { "transfer-encoding": "chunked" }, body };
  const client = await sendRequest(stage.envoy.port, stimulus, protocol);
  const [exchange] = await stage.engine.exchanges();
  await waitFor({ what: "the upstream's requests to end", timeoutMs: 5_000 }, () =>
    stage.upstream.seen().every(({ ended }) => ended !== undefined) ? true : undefined,
  );
  return { client: { ...client, body: client.body.toString("utf8") }, upstream: stage.upstream.seen(), ended: exchange?.ended };
}

async function download(protocol: Protocol, chain: string, answer: readonly Http2Piece[]) {
  stage.upstream.begin(answer);
  await stage.engine.exchanges();
  const { body, ended } = await (protocol === "http2"
    ? getFramed(stage.envoy.port, `/${chain}`)
    : sendRequest(stage.envoy.port, { request: `GET /${chain}` }, protocol));
  const [exchange] = await stage.engine.exchanges();
  return { body: body.toString(), ended, exchange: exchange?.ended };
}
