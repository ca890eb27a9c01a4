/** The table of tokens through a real Envoy: what it does to headers on the way must not make a bad token good, nor a good one bad. */
import { beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { type ClientResponse, send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { audience, authorizationLines, issuer, jwks, type TokenRow, tokenTable } from "../policies/jwt/token-table.ts";
import { startTestStage } from "../support/test-stage.ts";

const rows = tokenTable(Math.floor(Date.now() / 1000)).filter(({ inProcessOnly }) => inProcessOnly === undefined);
const keys = { jwks: { keys: jwks } };
const claimsToHeaders = [{ claim: "sub", header: "x-user" }];
const config = {
  version: 1,
  chains: {
    one: { steps: [{ policy: "jwt-validation@1", parameters: { issuer, audience, ...keys, claimsToHeaders } }] },
    two: {
      steps: [{ policy: "jwt-validation@2", parameters: { issuers: [{ issuer, audiences: [audience], ...keys }], claimsToHeaders } }],
    },
  },
  routes: { "catalogue-v1": "one", "catalogue-v2": "two" },
};
const paths = ["/v1/catalogue", "/v2/catalogue"];

let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({ policies: stringify(config) });
  return () => stage.close();
});

const sendTo = (path: string, id: string, entry: TokenRow["attack"]): Promise<ClientResponse> =>
  send(stage.envoy.port, {
    path,
    // Bytes as they are: the client takes one character for each.
    headers: {
      // In this spelling, for its type has one line only in the other.
      Authorization: authorizationLines(entry).map((line) => Buffer.from(line, "utf8").toString("latin1")),
      "x-request-id": id,
      "x-user": "mallory",
    },
  });

test.for(rows)("$name", async ({ attack, twin, code, status = 401 }, { task }) => {
  for (const path of paths) {
    const id = `${task.id}${path}`;
    const refused = await sendTo(path, `${id} attack`, attack);
    expect([path, refused.status, refused.body]).toEqual([path, status, expect.stringContaining(`"status":${status}`)]);
    expect(valuesOf(refused.headers, "www-authenticate")).toEqual([expect.stringMatching(/^Bearer realm="api"/)]);
    expect(refused.body).not.toContain(code);
    expect(stage.upstream.find(`${id} attack`)).toBeUndefined();

    const passed = await sendTo(path, `${id} twin`, twin);
    expect([path, passed.status]).toEqual([path, 200]);
    const seen = stage.upstream.find(`${id} twin`);
    expect(valuesOf(seen?.headers ?? [], "authorization")).toEqual([]);
    expect(valuesOf(seen?.headers ?? [], "x-user")).not.toContain("mallory");
  }
});
