/** Through a real Envoy: gRPC calls whose messages pass a chain of transforms both ways, one by one and at once. */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { beforeAll, expect, test } from "vitest";
import { scriptPolicies } from "../../support/script-policy.ts";
import { type ConformanceStage, type StageUpstream, startStageBefore } from "../conformance/conformance-stage.ts";

/** Transforms that keep the length of what they get: a message says its own. */
const transformed = (policy: string): string =>
  `{ steps: [{ policy: script@1.0.0, name: outer, parameters: { streamed: { request: upper, response: upper-later } } }, ${policy}] }`;
const step = (what: string): string =>
  `{ policy: script@1.0.0, name: inner, timeout: 200ms, parameters: { streamed: { request: ${what}, response: ${what} } } }`;
const chains = {
  config: `version: 1
chains:
  upper: ${transformed(step("same"))}
  throws: ${transformed(step("throws"))}
  hangs: ${transformed(step("hangs"))}
routes: { upper: upper, throws: throws, hangs: hangs }
`,
  policies: scriptPolicies,
};

let stage: ConformanceStage<GrpcUpstream>;
let client: Client;

beforeAll(async () => {
  stage = await startStageBefore({ modes: "printed", upstream: "http2" }, startGrpcUpstream, chains);
  client = new Client(`127.0.0.1:${stage.envoy.port}`, credentials.createInsecure());
  return async () => {
    client.close();
    await stage.close();
  };
});

test("each message arrives before the next one is sent, in both directions, and the trailers behind them", async () => {
  const call = open("upper");
  for (const text of ["one", "two", "x".repeat(40_000), "", "last"]) {
    call.stream.write(Buffer.from(text));
    expect(await call.next()).toBe(`YOU SAID ${text.toUpperCase()}`);
    expect(stage.upstream.heard().at(-1)).toBe(text.toUpperCase());
  }
  call.stream.end();
  const ended = await call.ended;
  expect(ended).toMatchObject({ code: status.OK });
  expect(ended.metadata.get("x-count")).toEqual(["5"]);
  expect((await stage.engine.exchanges()).map((exchange) => exchange.ended)).toEqual(["ok"]);
});

test("many messages under way at once arrive in order", async () => {
  const call = open("upper");
  const texts = Array.from({ length: 200 }, (_, index) => `message ${index}`);
  for (const text of texts) call.stream.write(Buffer.from(text));
  call.stream.end();
  expect(await call.ended).toMatchObject({ code: status.OK });
  expect(stage.upstream.heard()).toEqual(texts.map((text) => text.toUpperCase()));
  expect(call.got).toEqual(texts.map((text) => `YOU SAID ${text.toUpperCase()}`));
  await stage.engine.exchanges();
});

test("a call that fails in the middle has the upstream's status and trailers", async () => {
  const call = open("upper");
  call.stream.write(Buffer.from("one"));
  expect(await call.next()).toBe("YOU SAID ONE");
  call.stream.write(Buffer.from("fail"));
  const ended = await call.ended;
  expect(ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: "as asked" });
  expect(ended.metadata.get("x-count")).toEqual(["2"]);
  await stage.engine.exchanges();
});

test("a call that fails at once, without a body, has its status", async () => {
  const call = open("upper", { "x-fail": "at once" });
  expect(await call.ended).toMatchObject({ code: status.PERMISSION_DENIED, details: "at once" });
  await stage.engine.exchanges();
});

test.each(["throws", "hangs"])("a step that %s in the middle of a stream: neither side takes it for a whole one", async (chain) => {
  const call = open(chain);
  call.stream.write(Buffer.from("one"));
  expect(await call.next()).toBe("YOU SAID ONE");
  call.stream.write(Buffer.from("stop!"));
  expect((await call.ended).code).not.toBe(status.OK);
  expect(call.got).toEqual(["YOU SAID ONE"]);
  expect(await stage.upstream.ended()).toBe("cut");
  expect(stage.upstream.heard()).toEqual(["ONE"]);
  expect((await stage.engine.exchanges()).map((exchange) => exchange.ended)).toEqual(["internal"]);
});

test("no answer was one too many", async () => {
  const stats = await stage.envoy.stats("ext_proc");
  expect(stats.get("http.ingress.ext_proc.spurious_msgs_received")).toBe(0);
});

interface OpenCall {
  readonly stream: ClientDuplexStream<Buffer, Buffer>;
  /** Every message that has come. */
  readonly got: readonly string[];
  /** The next message. Rejects when the call ends without one. */
  next(): Promise<string>;
  readonly ended: Promise<StatusObject>;
}

function open(route: string, headers: Readonly<Record<string, string>> = {}): OpenCall {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>(`/${route}/Talk`, same, same, metadata, { deadline: Date.now() + callMsMax });
  const got: string[] = [];
  let waiting: PromiseWithResolvers<string> | undefined;
  let taken = 0;
  const hand = (): void => {
    const text = got[taken];
    if (waiting === undefined || text === undefined) return;
    taken += 1;
    waiting.resolve(text);
    waiting = undefined;
  };
  stream.on("data", (message: Buffer) => {
    got.push(message.toString());
    hand();
  });
  stream.on("error", () => {});
  const ended = new Promise<StatusObject>((resolve) => {
    stream.once("status", (end: StatusObject) => {
      waiting?.reject(new Error(`the call has ended: ${end.details}`));
      resolve(end);
    });
  });
  return {
    stream,
    got,
    ended,
    next() {
      waiting = Promise.withResolvers();
      const { promise } = waiting;
      hand();
      return promise;
    },
  };
}

const callMsMax = 10_000;
const same = (bytes: Buffer): Buffer => bytes;

interface GrpcUpstream extends StageUpstream {
  /** The messages of the last call. */
  heard(): readonly string[];
  /** How the request of the last call has ended. */
  ended(): Promise<"whole" | "cut">;
}

async function startGrpcUpstream(): Promise<GrpcUpstream> {
  let heard: string[] = [];
  let end = Promise.withResolvers<"whole" | "cut">();
  const talk = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    heard = [];
    end = Promise.withResolvers();
    const { resolve } = end;
    const trailers = (): Metadata => {
      const metadata = new Metadata();
      metadata.set("x-count", String(heard.length));
      return metadata;
    };
    const fail = (code: status, details: string): void => void call.emit("error", { code, details, metadata: trailers() });
    if (call.metadata.get("x-fail").length > 0) return fail(status.PERMISSION_DENIED, "at once");
    call.on("data", (message: Buffer) => {
      heard.push(message.toString());
      if (message.toString() === "FAIL") fail(status.RESOURCE_EXHAUSTED, "as asked");
      else call.write(Buffer.from(`you said ${message}`));
    });
    call.once("cancelled", () => resolve("cut"));
    // Node's HTTP/2 tells of an end before a reset as well.
    call.once("end", () =>
      setImmediate(() => {
        if (call.cancelled) return;
        resolve("whole");
        call.end(trailers());
      }),
    );
  };
  const method = {
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  } as const;
  const server = new Server();
  for (const route of ["upper", "throws", "hangs"]) {
    server.addService({ talk: { ...method, path: `/${route}/Talk` } }, { talk });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    heard: () => heard,
    ended: () => end.promise,
    async stop() {
      server.forceShutdown();
    },
  };
}
