/** What is measured: both directions of the wire, and exchanges through the kernel, without a transport, with chains that differ in one thing. */

import { ProcessingRequest, ProcessingResponse } from "../../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import { policies } from "../../../src/generated/registry.ts";
import type { StreamHandler, StreamMetadata } from "../../../src/kernel/transport.ts";
import { decodeIncoming } from "../../../src/kernel/wire/decode.ts";
import { encodeHeadersAnswer } from "../../../src/kernel/wire/encode.ts";
import { type EngineUnderTest, engineUnderTest } from "../../conversations/engine-under-test.ts";
import { benchHeaders, benchTokens, chainSteps, configOf, routeNames } from "../speed/chains.ts";
import type { Operation } from "./operation.ts";

const [route = ""] = routeNames(1);
/** A token is remembered after its first request: with more of them than the policy remembers (10,000), in turn, none ever is. */
const forgottenTokens = 10_500;
const knownTokens = 200;

const [twoHeaders, token] = chainSteps.five;

/** Rejects when a chain does not start. */
export async function operations(): Promise<readonly Operation[]> {
  // The engine under test lives at second 0.
  const known = benchTokens(knownTokens, 0).map(requestBytes);
  const forgotten = benchTokens(forgottenTokens, 0).map(requestBytes);
  const never = { ...asStep(twoHeaders), when: 'request.headers[?"x-debug"].orValue("") == "1" && request.path.startsWith("/orders")' };
  return [
    decoding(known),
    encoding(),
    await exchange("exchange: empty chain", chainSteps.empty, known),
    await exchange("exchange: two headers set", chainSteps.one, known),
    await exchange("exchange: a CEL condition that does not hold", [never], known),
    await exchange("exchange: JWT, a token that is remembered", [token], known),
    await exchange("exchange: JWT, a token that is verified (Ed25519)", [token], forgotten),
    await exchange("exchange: 5 policies", chainSteps.five, known),
    await exchange("exchange: 10 policies", chainSteps.ten, known),
  ];
}

function decoding(requests: readonly Uint8Array[]): Operation {
  const next = inTurn(requests);
  return {
    name: "wire: request headers read, three of them asked for",
    run() {
      const { headers } = decodeIncoming(next());
      for (const name of [":path", "x-api-key", "authorization"]) {
        if (headers.values(name).length !== 1) throw new Error(`${name} is missing`);
      }
    },
  };
}

function encoding(): Operation {
  const value = (text: string): Uint8Array => Buffer.from(text);
  const changes = {
    set: [
      { name: "x-bench-a", value: value("alpha"), append: false },
      { name: "x-bench-route", value: value("route-0"), append: false },
    ],
    remove: ["authorization"],
  };
  return {
    name: "wire: answer with three changes written",
    run() {
      if (encodeHeadersAnswer("request-headers", changes, undefined).length < 10) throw new Error("there is no answer");
    },
  };
}

async function exchange(name: string, steps: readonly unknown[], requests: readonly Uint8Array[]): Promise<Operation> {
  const engine = await engineUnderTest(configOf(steps, 1), {}, { policies });
  const next = inTurn(requests);
  await passes(name, engine, next());
  return { name, run: () => through(engine, next(), () => {}) };
}

/** Whoever is denied is quicker. */
function passes(name: string, engine: EngineUnderTest, request: Uint8Array): void | Promise<void> {
  return through(engine, request, (answer) => {
    const { response } = ProcessingResponse.decode(answer);
    if (response?.$case !== "requestHeaders") throw new Error(`${name}: the request does not pass: ${JSON.stringify(response)}`);
  });
}

const metadata: StreamMetadata = { get: (key) => (key === "x-route" ? `r:${route}` : undefined) };

/** One exchange, from its first message until its stream has ended. A promise only when the answer does not come at once. */
function through({ open }: EngineUnderTest, request: Uint8Array, answered: (answer: Uint8Array) => void): void | Promise<void> {
  let over = false;
  let whenOver: (() => void) | undefined;
  const handler: StreamHandler = open(metadata, {
    send: () => true,
    sendAndEnd(answer) {
      answered(answer);
      over = true;
      whenOver?.();
    },
    end: () => {},
    fail: (_, text) => {
      throw new Error(text);
    },
    pause: () => {},
    resume: () => {},
  });
  handler.message(request);
  if (over) {
    handler.closed();
    return undefined;
  }
  return new Promise((resolve) => {
    whenOver = () => {
      handler.closed();
      resolve();
    };
  });
}

function requestBytes(token: string): Uint8Array {
  const lines = [":method: GET", ":path: /orders/42?page=2", ":scheme: https", ":authority: api.example.com", ...benchHeaders(token)];
  const headers = lines.map((line) => {
    const colon = line.indexOf(":", 1);
    return { key: line.slice(0, colon), rawValue: Buffer.from(line.slice(colon + 2)) };
  });
  return ProcessingRequest.encode({
    request: { $case: "requestHeaders", value: { headers: { headers }, endOfStream: true } },
    attributes: { "envoy.filters.http.ext_proc": { "xds.route_name": route } },
    protocolConfig: {},
  }).finish();
}

function inTurn<Item>(items: readonly Item[]): () => Item {
  let turn = 0;
  return () => {
    const item = items[turn++ % items.length];
    if (item === undefined) throw new RangeError("there is nothing to take");
    return item;
  };
}

function asStep(step: unknown): object {
  if (typeof step !== "object" || step === null) throw new TypeError("no step");
  return step;
}
