/** What somebody puts into a body, or a step does with one. The bytes on the wire are in `tests/conversations/hostile-bodies.yaml`. */
import type { BufferedRequestExchange, BufferedResponseExchange, Outcome, PolicyInstance } from "@envoy-policy-engine/sdk";
import { describe, expect, test } from "vitest";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import { startTestEngine, type TestExchange, type TestRequest, type TestResponse } from "../../src/testing/test-engine.ts";
import type { BoundStep } from "../../src/worker/chain.ts";
import { noHeaders } from "../../src/worker/received-headers.ts";
import { ExchangeRun } from "../../src/worker/run.ts";
import { chainOf, codePolicies } from "../support/code-policy.ts";

const onRequest = (handle: (exchange: BufferedRequestExchange<unknown>) => Outcome): PolicyInstance<unknown> => ({
  request: { body: "buffered", handle },
});
const onResponse = (handle: (exchange: BufferedResponseExchange<unknown>) => Outcome): PolicyInstance<unknown> => ({
  response: { body: "buffered", handle },
});

async function exchange(
  instances: Readonly<Record<string, PolicyInstance<unknown>>>,
  request: Partial<TestRequest>,
  { config = chainOf(...Object.keys(instances)), response = {} }: { readonly config?: string; readonly response?: TestResponse } = {},
): Promise<TestExchange> {
  const engine = await startTestEngine({ policies: codePolicies(instances), config });
  try {
    return await engine.exchange({ route: "route", method: "POST", ...request }, response);
  } finally {
    engine.close();
  }
}

const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

describe("JSON", () => {
  const guarded = (when: string): string =>
    `version: 1\nchains: { chain: { steps: [{ policy: guard@1.0.0, when: '${when}' }] } }\nroutes: { route: chain }\n`;
  const guard: PolicyInstance<unknown> = { request: () => ({ status: 403 }) };
  const large = "request.?json.?amount.orValue(0.0) > 100.0";

  test.for([
    ["behind a value that is nested very deep", `{"nested": ${deep}, "amount": 250}`],
    ["behind a byte order mark", '\uFEFF{"amount": 250}'],
    ["behind what is no prototype", '{"__proto__": {"amount": 1}, "amount": 250}'],
    ["larger than a number can be", '{"amount": 1e999}'],
    ["with more digits than a number has", `{"amount": 1${"0".repeat(300)}1}`],
  ] as const)("a condition sees a value %s", async ([, body]) => {
    expect((await exchange({ guard }, { body }, { config: guarded(large) })).client.status).toBe(403);
  });

  test.for([
    ["`__proto__` is a name like any other", '{"__proto__": {"amount": 250}}'],
    ["a list is no object", '[{"amount": 250}]'],
    ["null", "null"],
    ["no bytes at all", ""],
  ] as const)("a condition sees no value where there is none: %s", async ([, body]) => {
    expect((await exchange({ guard }, { body }, { config: guarded(large) })).client.status).toBe(200);
  });

  test.for(["constructor", "toString", "hasOwnProperty", "valueOf"])("a condition does not find `%s` in an empty object", async (name) => {
    const { client } = await exchange({ guard }, { body: "{}" }, { config: guarded(`request.?json.?${name}.hasValue()`) });
    expect(client.status).toBe(200);
  });

  test("is parsed once, and nobody can change it under the next step", async () => {
    const seen: unknown[] = [];
    const look = onRequest(({ body }) => void seen.push(body.json()));
    const change = onRequest(({ body }) => {
      (body.json() as { list: unknown[] }).list.push(1);
    });
    const { failures } = await exchange(
      { look, change, again: look },
      { body: '{"list": []}' },
      { config: chainOf("look", "change?", "again") },
    );
    expect(failures).toHaveLength(1);
    expect(seen[0]).toBe(seen[1]);
    expect(seen[1]).toEqual({ list: [] });
  });

  test("that is nested very deep can be shared with later steps", async () => {
    const share = onRequest(({ body, metadata }) => metadata.set({ name: "note" }, body.json()));
    expect((await exchange({ share }, { body: deep })).failures).toEqual([]);
  });

  test("is that of the new body once a step has replaced it, and that of the old one when the step fails", async () => {
    const seen: unknown[] = [];
    const look = onRequest(({ body }) => void seen.push(body.json()));
    const fail = onRequest(({ body }) => {
      body.set("2");
      seen.push(body.json());
      throw new Error("after all");
    });
    const replace = onRequest(({ body }) => body.set("3"));
    const sent = await exchange(
      { look, fail, behind: look, replace, last: look },
      { body: "1" },
      { config: chainOf("look", "fail?", "behind", "replace", "last") },
    );
    expect(seen).toEqual([1, 2, 1, 3]);
    expect(sent.upstream?.body).toBe("3");
  });
});

test("what a step does to the bytes it was given, or keeps of those it has set, reaches nobody", async () => {
  const bytes = Buffer.from("set");
  const scribble = onRequest(({ body }) => void body.bytes?.fill(0));
  const set = onRequest(({ body }) => body.set(bytes));
  const late = onRequest(() => void bytes.fill(0));
  expect((await exchange({ scribble }, { body: "sent" })).upstream?.body).toBe("sent");
  expect((await exchange({ set, late }, { body: "sent" })).upstream?.body).toBe("set");
});

test("text that is no UTF-8 fails the step, and so does a body of another type", async () => {
  const read = onRequest(({ body }) => void body.text());
  const replace = onResponse(({ body }) => body.set(Uint8Array.of(0xc3, 0x28)));
  const text = onResponse(({ body }) => void body.text());
  expect((await exchange({ read }, { body: "\u00e4" })).failures).toEqual([]);
  expect((await exchange({ text, replace }, {}, { response: { body: "fine" } })).failures).toMatchObject([{ step: "step-0" }]);
  const odd = onRequest(({ body }) => body.set({ length: 3 } as never));
  expect((await exchange({ odd }, { body: "sent" })).client.status).toBe(500);
});

test("a reply whose body another step replaces loses what was said about the old one", async () => {
  const upper = onResponse(({ body }) => body.set(body.text().toUpperCase()));
  const cache: PolicyInstance<unknown> = { request: () => ({ status: 200, headers: { etag: '"1"', "x-kept": "1" }, body: "cached" }) };
  const { client } = await exchange({ upper, cache }, {});
  expect(client).toMatchObject({ body: "CACHED", headers: { "x-kept": ["1"] } });
  expect(client.headers).not.toHaveProperty("etag");
  expect((await exchange({ cache }, {})).client.headers).toHaveProperty("etag");
});

test.for([
  ["HEAD", "200"],
  ["GET", "304"],
] as const)("the response to %s with %s keeps its length, whatever clears its body", async ([method, status]) => {
  const clear = onResponse(({ body }) => body.set(undefined));
  const { client } = await exchange(
    { clear },
    { method },
    { response: { status: Number(status), headers: { "content-length": "5" }, body: "" } },
  );
  expect(client.headers["content-length"]).toEqual(["5"]);
});

describe("the request's body while the upstream works", () => {
  const step = (reads: BoundStep["reads"]): BoundStep => ({
    name: "step",
    policy: "test@1.0.0",
    when: undefined,
    whenReadsResponse: false,
    request: { body: "buffered", handle: () => undefined },
    response: { body: "none", handle: () => undefined },
    reads,
    timeoutMs: 1_000,
    onUpgrade: "deny",
    onStream: "deny",
    onError: "deny",
    rights: { mutates: new Set(), reads: new Set(), writes: new Set() },
    counter: 0,
  });
  const afterRequest = async (reads: BoundStep["reads"]): Promise<ExchangeRun> => {
    const counters = createStepCounters();
    counters.allocate({ chain: "chain", step: "step", policy: "test@1.0.0" }, 0);
    const chain = {
      name: "chain",
      hash: "",
      counter: { exchanges: 0, since: 0 },
      rawPath: false,
      bodyBytesMax: 1024,
      hasResponse: true,
      steps: [step(reads)],
    };
    const source = { address: undefined, port: undefined };
    const received = { id: "1", time: 0, headers: noHeaders, hasBody: true, upgrade: false, route: { name: "r", metadata: {} }, source };
    const run = new ExchangeRun(chain, received, { monotonicMs: () => 0, startTimer: () => () => {}, counters, failed: () => {} }, 1);
    await run.runRequest(1_000, "in-chunks");
    await run.resume(Buffer.from("body"), 1_000);
    return run;
  };

  test("is let go of", async () => {
    expect((await afterRequest({ requestBody: false, responseBody: false })).request.body).toBeUndefined();
  });

  test("is kept where an expression of a response handler reads it", async () => {
    expect((await afterRequest({ requestBody: true, responseBody: false })).request.body?.bytes).toEqual(Buffer.from("body"));
  });
});
