import { beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { policies } from "../../../src/generated/registry.ts";
import { startTestEngine, type TestEngine, type TestExchange } from "../../../src/testing/test-engine.ts";
import { audience, authorizationLines, issuer, jwks, type TokenRow, tokenTable } from "./token-table.ts";

const now = Date.UTC(2026, 0, 1) / 1000;
const rows = tokenTable(now);
const claimsToHeaders = [
  { claim: "sub", header: "x-user" },
  { claim: "role", header: "x-role" },
];
const config = {
  version: 1,
  chains: {
    one: { steps: [{ policy: "jwt-validation@1", parameters: { issuer, audience, jwks: { keys: jwks }, claimsToHeaders } }] },
    two: {
      steps: [
        { policy: "jwt-validation@2", parameters: { issuers: [{ issuer, audiences: [audience], jwks: { keys: jwks } }], claimsToHeaders } },
      ],
    },
  },
  routes: { one: "one", two: "two" },
};

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine({ policies, config: stringify(config), now: () => now * 1000 });
  return () => engine.close();
});

const send = (route: string, entry: TokenRow["attack"]): Promise<TestExchange> =>
  engine.exchange({ route, headers: { authorization: authorizationLines(entry), "x-user": "mallory", "x-role": "admin" } });

describe.each(["one", "two"])("the table of tokens, version %s", (route) => {
  test.for(rows)("$name", async ({ attack, twin, code, status = 401 }) => {
    const refused = await send(route, attack);
    expect([refused.client.status, refused.reply, refused.upstream, refused.metadata]).toEqual([status, code, undefined, {}]);
    expect(refused.failures).toEqual([]);
    const error = code === "jwt-missing" ? "" : status === 400 ? ', error="invalid_request"' : ', error="invalid_token"';
    expect(refused.client.headers["www-authenticate"]).toEqual([`Bearer realm="api"${error}`]);

    // The second time it is remembered.
    for (const time of ["first", "again"]) {
      const passed = await send(route, twin);
      expect([time, passed.client.status, passed.reply]).toEqual([time, 200, undefined]);
      expect(passed.metadata).toMatchObject({ auth: { method: "jwt", issuer } });
      expect(passed.upstream?.headers).not.toHaveProperty("authorization");
      expect(passed.upstream?.headers["x-user"]).not.toEqual(["mallory"]);
    }

    // And a good token that is remembered does not make the bad one good.
    expect((await send(route, attack)).client.status).toBe(status);
  });
});

test("the table has at least sixty tokens and no name twice", () => {
  expect(rows.length * 2).toBeGreaterThanOrEqual(60);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});
