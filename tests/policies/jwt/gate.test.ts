import type { RequestExchange } from "@envoy-policy-engine/sdk";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { claimHasOne, headerText } from "../../../policies/lib/jwt/claim-values.ts";
import { type GateOptions, openGate } from "../../../policies/lib/jwt/gate.ts";
import { policies } from "../../../src/generated/registry.ts";
import { createPolicyCounters } from "../../../src/observe/policy-counters.ts";
import { createProbes } from "../../../src/observe/probes.ts";
import { createStepCounters } from "../../../src/observe/step-counters.ts";
import { startTestEngine, type TestEngine, testHost } from "../../../src/testing/test-engine.ts";
import { createPolicyContext } from "../../../src/worker/policy-context.ts";
import { createSharedValues } from "../../../src/worker/shared-values.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { audience, issuer, jwks, tokensAt } from "./token-table.ts";

const places = [
  { in: "header", name: "authorization" },
  { in: "cookie", name: "t" },
  { in: "query", name: "t" },
] as const;
const now = Date.UTC(2026, 0, 1) / 1000;
const token = tokensAt(now);
const clock = createTestClock(now * 1000);
let engine: TestEngine;

beforeAll(async () => {
  const parameters = {
    issuers: [{ issuer, audiences: [audience], jwks: { keys: jwks } }],
    token: places,
    claimsToHeaders: [{ claim: "value", header: "x-value" }],
    claimsToMetadata: ["value"],
  };
  const steps = [{ policy: "jwt-validation@2", parameters }];
  engine = await startTestEngine({
    policies,
    config: stringify({ version: 1, chains: { a: { steps } }, routes: { a: "a" } }),
    now: clock.now,
  });
});
afterAll(() => engine.close());

const send = (text: string) => engine.exchange({ route: "a", headers: { authorization: `Bearer ${text}`, "x-value": "mallory" } });
const statusOf = async (text: string): Promise<number> => (await send(text)).client.status;

describe("whatever a client sends, nothing is thrown and nothing passes", () => {
  const runs = { seed: 13, numRuns: 300 };
  const bytes = fc.string({
    unit: fc
      .integer({ min: 1, max: 255 })
      .filter((code) => code !== 10 && code !== 13)
      .map((code) => String.fromCharCode(code)),
    maxLength: 200,
  });
  const part = fc.oneof(
    bytes,
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString("base64url")),
  );
  const tokenLike = fc.array(part, { maxLength: 5 }).map((parts) => parts.join("."));
  const sent = fc.oneof(bytes, tokenLike);
  const place = fc.constantFrom("authorization", "bearer", "cookie", "query");

  test("random bytes and things like tokens, in every place", async () => {
    await fc.assert(
      fc.asyncProperty(sent, place, async (text, where) => {
        const { client, failures, upstream } = await engine.exchange({
          route: "a",
          ...(where === "query" ? { path: `/?t=${encodeURIComponent(text)}` } : {}),
          headers: {
            ...(where === "authorization" ? { authorization: text } : {}),
            ...(where === "bearer" ? { authorization: `Bearer ${text}` } : {}),
            ...(where === "cookie" ? { cookie: `t=${text}` } : {}),
          },
        });
        expect([400, 401]).toContain(client.status);
        expect([failures, upstream]).toEqual([[], undefined]);
      }),
      runs,
    );
  });

  test("a good token with one character changed, one more or one less", async () => {
    const good = token();
    expect(await statusOf(good)).toBe(200);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ~\u00e4";
    const change = fc.record({
      at: fc.nat({ max: good.length - 1 }),
      character: fc.constantFrom(...alphabet),
      how: fc.constantFrom("replace", "insert", "remove"),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, character, how }) => {
        const changed = good.slice(0, at) + (how === "remove" ? "" : character) + good.slice(how === "insert" ? at : at + 1);
        // Blanks before it are not the token's.
        fc.pre(changed.trimStart() !== good);
        expect(await statusOf(changed)).not.toBe(200);
      }),
      runs,
    );
  });

  test("the last character, whose lowest bits mean nothing, in all its forms", async () => {
    const good = token();
    const others = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].filter((last) => last !== good.at(-1));
    const statuses = await Promise.all(others.map((last) => statusOf(good.slice(0, -1) + last)));
    expect(new Set(statuses)).toEqual(new Set([401]));
  });
});

describe("a token that is remembered", () => {
  test("is judged by the clock again each time", async () => {
    const good = token({ claims: { exp: now + 100, nbf: now - 100 } });
    expect([await statusOf(good), await statusOf(good)]).toEqual([200, 200]);
    clock.jump(129_999);
    expect(await statusOf(good)).toBe(200);
    clock.jump(1);
    expect((await send(good)).reply).toBe("jwt-expired");
    clock.jump(-130_000);
    expect(await statusOf(good)).toBe(200);
    clock.jump(-131_000);
    expect((await send(good)).reply).toBe("jwt-not-yet-valid");
    clock.jump(131_000);
  });

  test("costs no promise, and another instance knows nothing of it", async () => {
    const { open } = gates();
    const [gate, other] = [await open(), await open()];
    const good = token({ claims: { groups: [{ name: "staff" }] } });
    const exchange = exchangeWith(good);
    const first = gate(exchange);
    expect(first).toBeInstanceOf(Promise);
    expect(await first).toBeUndefined();
    expect(gate(exchange)).toBeUndefined();
    expect(exchange.metadata.get({ name: "auth" })).toMatchObject({ subject: "alice", claims: { groups: [{ name: "staff" }] } });
    expect(isFrozen(exchange.metadata.get({ name: "auth" }))).toBe(true);
    expect(other(exchange)).toBeInstanceOf(Promise);
  });
});

test("a claim that is as deep as a token can hold does not fail the step", async () => {
  const deep = `${"[".repeat(5_500)}${"]".repeat(5_500)}`;
  const claims = JSON.stringify({ iss: issuer, sub: "alice", aud: audience, exp: now + 300 });
  const { client, failures, metadata } = await send(token({ claimsText: `${claims.slice(0, -1)},"value":${deep}}` }));
  expect([client.status, failures]).toEqual([200, []]);
  expect(metadata).toMatchObject({ auth: { subject: "alice" } });
});

test("what it counts, and what it shows of its keys", async () => {
  const { open, counters, probes } = gates();
  const gate = await open();
  const count = (name: string): number =>
    counters
      .families()
      .filter((family) => family.name === `policy_engine_policy_${name}_total`)
      .flatMap((family) => (family.type === "counter" ? family.samples.map(({ value }) => value) : []))
      .reduce((sum, value) => sum + value, 0);
  const good = exchangeWith(token());
  await gate(good);
  await gate(good);
  await gate(good);
  expect([count("tokens_remembered"), count("key_set_misses")]).toEqual([2, 0]);
  await gate(exchangeWith(token({ header: { kid: "unknown" } })));
  expect([count("tokens_remembered"), count("key_set_misses")]).toEqual([2, 1]);
  expect(probes.states()).toMatchObject([{ name: `keys of ${issuer}`, ready: true, detail: "7 keys, written in the configuration" }]);
});

describe("a second token beside a good one", () => {
  const good = token();
  test.each([
    "Bearer\tevil",
    "Bearer\u00a0evil",
    "\u00a0Bearer evil",
    "Bearer\u2003evil",
    " Bearer evil",
    "\tbearer \t evil",
    "Basic YTpi, Bearer\u00a0evil",
  ])("%j never goes upstream as if nobody had to judge it", async (authorization) => {
    const headers = { authorization, cookie: `t=${good}` };
    const { client, reply, upstream } = await engine.exchange({ route: "a", headers });
    expect([client.status, reply, upstream]).toEqual([400, "jwt-several", undefined]);
  });

  test.each(["Basic YTpi", "Bearer", "bearerless evil", "Digest a=b, c=d"])("%j is no token", async (authorization) => {
    const { client } = await engine.exchange({ route: "a", headers: { authorization, cookie: `t=${good}` } });
    expect(client.status).toBe(200);
  });
});

test("a required number is not one that only looks the same when it is read", () => {
  expect(claimHasOne(JSON.parse("9007199254740993"), ["9007199254740992", "9007199254740993"])).toBe(false);
  expect(claimHasOne(JSON.parse("[1e999, 7]"), ["Infinity"])).toBe(false);
  expect(claimHasOne(JSON.parse("[1e999, 7]"), ["7"])).toBe(true);
});

describe("claims as headers", () => {
  test.each<[unknown, string | undefined]>([
    ["text", "text"],
    ["", ""],
    ["ä €", "ä €"],
    ["a,b", "a,b"],
    [0, "0"],
    [-1.5, "-1.5"],
    [true, "true"],
    [false, "false"],
    [["a", 1, true], "a,1,true"],
    [["a"], "a"],
    [[], undefined],
    [["a,b"], undefined],
    [["a", "b\n"], undefined],
    [["a", null], undefined],
    [["a", ["b"]], undefined],
    [[{}], undefined],
    [null, undefined],
    [undefined, undefined],
    [{ a: 1 }, undefined],
    ["a\nb", undefined],
    ["a\u0000", undefined],
    ["a\u007f", undefined],
    ["\t", undefined],
    // HTTP takes them off: the upstream would read what nobody has signed.
    [" admin", undefined],
    ["admin ", undefined],
    ["admin\u00a0", undefined],
    ["a b", "a b"],
    [["a", " b"], undefined],
    [" ", undefined],
    // Numbers that are not those of the token any more when they are read.
    [Number.MAX_SAFE_INTEGER, "9007199254740991"],
    [Number.MAX_SAFE_INTEGER + 1, undefined],
    [-Number.MAX_SAFE_INTEGER - 1, undefined],
    [[1, 1e21], undefined],
    [Number.POSITIVE_INFINITY, undefined],
  ])("%j is %j", (value, expected) => {
    expect(headerText(value)).toBe(expected);
  });

  test("any claim an issuer may sign: the step does not fail, and the client's own header never arrives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 2 }), async (value) => {
        const { client, failures, upstream } = await send(token({ claims: { value } }));
        expect([client.status, failures]).toEqual([200, []]);
        const expected = headerText(JSON.parse(JSON.stringify(value)));
        expect(upstream?.headers["x-value"]).toEqual(expected === undefined ? undefined : [expected]);
      }),
      { seed: 17, numRuns: 200 },
    );
  });
});

test("the example of the documentation is a configuration", async () => {
  const config = `
version: 1
chains:
  partner-api:
    steps:
      - policy: jwt-validation@2
        name: auth
        parameters:
          issuers: [{ issuer: https://login.example.com, jwks: { uri: https://login.example.com/keys } }]
      - policy: set-header@1.0.0
        name: identity
        parameters:
          request:
            - { name: x-user, setFrom: metadata.auth.subject }
            - { name: x-role, setFrom: '"admin" in metadata.auth.?scopes.orValue([]) ? "admin" : "user"' }
routes: { partner: partner-api }
`;
  const example = await startTestEngine({
    policies,
    config,
    now: clock.now,
    fetch: async () => Response.json({ keys: jwks }),
  });
  const good = token({ claims: { iss: "https://login.example.com", scope: "admin" } });
  const { upstream } = await example.exchange({ route: "partner", headers: { authorization: `Bearer ${good}` } });
  expect(upstream?.headers).toMatchObject({ "x-user": ["alice"], "x-role": ["admin"] });
  example.close();
});

/** Gates as a step opens them, and what the engine would show of it. */
function gates() {
  const [counters, probes] = [createPolicyCounters(), createProbes()];
  const host = { ...testHost({ counters: createStepCounters() }, clock.now), policyCounters: counters, probes };
  const { context } = createPolicyContext({ chain: "c", step: "s", policy: "p@1.0.0" }, host, createSharedValues());
  const jwksSource = { keys: jwks, refreshSeconds: 300, staleSeconds: 3600 };
  const options: GateOptions = {
    places,
    issuers: [{ issuer, audiences: [audience], algorithms: ["ES256"], jwks: jwksSource }],
    clockSkewSeconds: 30,
    requirements: { scopes: { allOf: [], anyOf: [] }, claims: { allOf: [], anyOf: [] } },
    claimHeaders: [],
    metadataClaims: ["groups"],
    token: "forwarded",
    realm: "api",
  };
  return { counters, probes, open: () => openGate(options, context) };
}

function isFrozen(value: unknown): boolean {
  return typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
}

/** What a gate looks at of an exchange. */
function exchangeWith(text: string): RequestExchange {
  const values = new Map<string, unknown>();
  const headers = {
    get: () => undefined,
    getAll: (name: string) => (name === "authorization" ? [`Bearer ${text}`] : []),
    getBytes: () => [],
    has: () => false,
    names: () => [],
    set: () => {},
    append: () => {},
    delete: () => {},
  };
  return {
    id: "id",
    route: { name: "r", chain: "c" },
    source: { address: undefined, port: undefined },
    state: undefined,
    signal: new AbortController().signal,
    request: { headers, path: "/", query: "", method: "GET", host: "h", scheme: "https", time: 0 },
    metadata: {
      get: <Value>({ name }: { readonly name: string }) => values.get(name) as Value | undefined,
      set: ({ name }, value) => void values.set(name, value),
    },
  };
}
