/** Tokens and keys of a real OpenID provider, over real sockets; only the clock is the test's. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import { outgoingFetch } from "../../../src/engine/outgoing-fetch.ts";
import { policies } from "../../../src/generated/registry.ts";
import { startTestEngine, type TestEngine } from "../../../src/testing/test-engine.ts";
import { type OidcIssuer, oidcAudience, startOidcIssuer } from "../../support/oidc-issuer.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";
import { compact } from "./signing.ts";

const refreshSeconds = 300;
const staleSeconds = 3600;

let issuer: OidcIssuer;
let clock: TestClock;
let engine: TestEngine;
/** Calls that have not come to their end. */
let calling = 0;

beforeEach(async () => {
  issuer = await startOidcIssuer();
  clock = createTestClock(Date.now());
  engine = await startEngine();
});

afterEach(async () => {
  engine.close();
  await issuer.stop();
});

function startEngine(): Promise<TestEngine> {
  const jwks = { uri: issuer.jwksUri, refreshSeconds, staleSeconds };
  const config = {
    version: 1,
    chains: {
      one: { steps: [{ policy: "jwt-validation@1", parameters: { issuer: issuer.issuer, audience: oidcAudience, jwks } }] },
      two: {
        steps: [{ policy: "jwt-validation@2", parameters: { issuers: [{ issuer: issuer.issuer, audiences: [oidcAudience], jwks }] } }],
      },
      other: { steps: [{ policy: "set-header@2", parameters: { request: [{ set: { name: "x-a", value: "1" } }] } }] },
    },
    routes: { one: "one", two: "two", other: "other" },
  };
  return startTestEngine({
    policies,
    config: stringify(config),
    now: clock.now,
    startTimer: clock.startTimer,
    fetch: ({ url, init }) => {
      calling += 1;
      return outgoingFetch(url, init).finally(() => {
        calling -= 1;
      });
    },
  });
}

const send = async (token: string, route = "two"): Promise<number> =>
  (await engine.exchange({ route, headers: { authorization: `Bearer ${token}` } })).client.status;
const becomes = (status: number, token: string, route?: string): Promise<true> =>
  waitFor({ what: `an answer ${status}`, timeoutMs: 5_000 }, async () => ((await send(token, route)) === status ? true : undefined));
/** Nothing is under way: the key set that both chains share waits for its next refresh. */
const idle = (): Promise<true> =>
  waitFor({ what: "the issuer's answer", timeoutMs: 5_000 }, () => (calling === 0 && clock.pending > 0 ? true : undefined));
const pass = async (seconds: number, stepSeconds = 60): Promise<void> => {
  for (let passed = 0; passed < seconds; passed += stepSeconds) {
    await idle();
    await clock.advance(Math.min(stepSeconds, seconds - passed) * 1000);
  }
  await idle();
};

test("its tokens pass both versions, and what the engine knows is what they say", async () => {
  const token = await issuer.token();
  for (const route of ["one", "two"]) {
    const { client, metadata } = await engine.exchange({ route, headers: { authorization: `Bearer ${token}` } });
    expect([route, client.status, metadata]).toEqual([
      route,
      200,
      { auth: { method: "jwt", subject: "service", issuer: issuer.issuer, scopes: ["read"] } },
    ]);
  }
});

test("a crowd at the first moment waits for the keys and passes, and so does a crowd with a new key", async () => {
  const token = await issuer.token();
  const statuses = await Promise.all(Array.from({ length: 300 }, () => send(token)));
  expect(new Set(statuses)).toEqual(new Set([200]));
  await issuer.rotate();
  const fresh = await issuer.token();
  expect(new Set(await Promise.all(Array.from({ length: 300 }, () => send(fresh))))).toEqual(new Set([200]));
  expect(issuer.jwksRequests).toBe(2);
});

test("rotation under traffic denies no valid token, and a new key works at once", async () => {
  const tokens = [await issuer.token()];
  const statuses: number[] = [];
  let going = true;
  const traffic = Array.from({ length: 8 }, async (_, client) => {
    for (let sent = client; going; sent++) {
      statuses.push(await send(tokens[sent % tokens.length] ?? "", sent % 2 === 0 ? "one" : "two"));
      if (sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  });
  for (let rotation = 0; rotation < 5; rotation++) {
    await issuer.rotate();
    tokens.push(await issuer.token());
    const before = statuses.length;
    await waitFor({ what: "some more answers", timeoutMs: 10_000 }, () => (statuses.length > before + 100 ? true : undefined));
    await clock.advance(30_000);
  }
  going = false;
  await Promise.all(traffic);
  expect(statuses.length).toBeGreaterThan(500);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  // The first fetch and one per rotation, for both chains together.
  expect(issuer.jwksRequests).toBe(1 + 5);
}, 20_000);

test("a key that the issuer has retired is refused after the next refresh, remembered or not", async () => {
  const old = await issuer.token();
  expect(await send(old)).toBe(200);
  await issuer.rotate();
  issuer.retire();
  expect(await send(await issuer.token())).toBe(200);
  expect(await send(old)).toBe(401);
});

test("an issuer that is killed for longer than the refresh interval denies nobody until the stale bound, and recovers by itself", async () => {
  const token = await issuer.token();
  expect([await send(token, "one"), await send(token, "two")]).toEqual([200, 200]);
  const fresh = await issuer.token();
  await issuer.stop();
  await pass(4 * refreshSeconds);
  expect([await send(token), await send(fresh)]).toEqual([200, 200]);
  await pass(staleSeconds - 4 * refreshSeconds - 60);
  expect([await send(token, "one"), await send(token, "two")]).toEqual([200, 200]);
  await pass(60);
  expect([await send(token, "one"), await send(token, "two"), await send(token, "other")]).toEqual([503, 503, 200]);

  await issuer.start();
  await pass(60);
  await becomes(200, token);
  await becomes(200, token, "one");
});

test("an issuer that is away at the start blocks nobody else, and its tokens pass as soon as it is there", async () => {
  const token = await issuer.token();
  await issuer.stop();
  engine.close();
  engine = await startEngine();
  const refused = await engine.exchange({ route: "two", headers: { authorization: `Bearer ${token}` } });
  expect([refused.client.status, refused.reply, refused.client.headers["retry-after"]]).toEqual([503, "jwt-keys-not-ready", ["1"]]);
  expect(await send("", "other")).toBe(200);
  await issuer.start();
  await pass(2, 1);
  await becomes(200, token);
});

test("an issuer that answers with errors is one that is away", async () => {
  const token = await issuer.token();
  expect(await send(token)).toBe(200);
  issuer.failWith(500);
  await pass(3 * refreshSeconds);
  expect(await send(token)).toBe(200);
});

test("a flood of unknown kids makes a bounded number of fetches, counted at the issuer", async () => {
  const token = await issuer.token();
  expect(await send(token)).toBe(200);
  const before = issuer.jwksRequests;
  const claims = { iss: issuer.issuer, sub: "mallory", aud: oidcAudience, exp: Date.now() / 1000 + 86_400 };
  let sent = 0;
  for (let second = 0; second < 60; second++) {
    const flood = Array.from({ length: 20 }, () => send(compact({ alg: "ES256", kid: `flood-${sent++}` }, claims, () => Buffer.alloc(64))));
    expect(new Set(await Promise.all(flood))).toEqual(new Set([401]));
    expect(await send(token)).toBe(200);
    await clock.advance(1_000);
  }
  expect(sent).toBe(1_200);
  expect(issuer.jwksRequests - before).toBeLessThanOrEqual(5 + 6);
  expect(issuer.jwksRequests - before).toBeGreaterThanOrEqual(5);
}, 20_000);
