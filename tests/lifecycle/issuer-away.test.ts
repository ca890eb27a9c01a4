/** What the clients of a real Envoy notice of an issuer of tokens that comes and goes. */
import { beforeAll, expect, test } from "vitest";
import { readData, replaceAt, writeData } from "../../scripts/processes/data.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { type ClientResponse, send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readiness, readMetrics } from "../support/admin.ts";
import { type OidcIssuer, oidcAudience, startOidcIssuer } from "../support/oidc-issuer.ts";
import { byRename } from "../support/replace-file.ts";
import { startTestStage } from "../support/test-stage.ts";
import { notAnswered, startTraffic } from "../support/traffic.ts";

let issuer: OidcIssuer;
let stage: Stage;
let token: string;

const policies = ({ issuer: name, jwksUri: uri }: OidcIssuer): string => `
version: 1
chains:
  orders:
    steps:
      - name: auth
        policy: jwt-validation@2
        parameters:
          issuers: [{ issuer: "${name}", audiences: ["${oidcAudience}"], jwks: { uri: "${uri}" } }]
          claimsToHeaders: []
  catalogue: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: seen }] } }] }
routes: { orders: orders, catalogue-v1: catalogue }
`;

beforeAll(async () => {
  issuer = await startOidcIssuer();
  token = await issuer.token();
  await issuer.stop();
  stage = await startTestStage({ policies: policies(issuer) });
  return async () => {
    await stage.close();
    await issuer.stop();
  };
});

const withToken = (text = token) => ({ path: "/orders", headers: { authorization: `Bearer ${text}` } });
const order = (): Promise<ClientResponse> => send(stage.envoy.port, withToken());
const probe = (name: string): string =>
  `policy_engine_probe_${name}{chain="orders",step="auth",policy="jwt-validation@2.0.0",name="keys of ${issuer.issuer}"}`;

test("away at the start: its chain says so, others go on, and the engine is ready", async () => {
  const { status, headers, body } = await order();
  expect([status, JSON.parse(body)]).toEqual([503, expect.objectContaining({ status: 503 })]);
  expect(Number(valuesOf(headers, "retry-after")[0])).toBeGreaterThan(0);
  expect((await send(stage.envoy.port, { path: "/v1/catalogue" })).status).toBe(200);
  expect(await readiness(stage.engine)).toBe(200);
  expect((await readMetrics(stage.engine))(probe("ready"))).toBe(0);
  const { body: ready } = await send(stage.engine.adminPort, { path: "/readyz" });
  expect(ready).toContain("no keys yet");
});

test("there at last: tokens pass without anybody's doing", async () => {
  await issuer.start();
  await waitFor({ what: "the token to pass", timeoutMs: 10_000 }, async () => ((await order()).status === 200 ? true : undefined));
  const metric = await readMetrics(stage.engine);
  expect(metric(probe("ready"))).toBe(1);
  expect(metric(probe("age_seconds"))).toBeLessThan(10);
});

test("away again, and somebody edits the step meanwhile: no valid token is denied", async () => {
  const traffic = startTraffic({ port: stage.envoy.port, clients: 4, next: () => withToken() });
  await issuer.stop();
  const edited = replaceAt(
    readData(policies(issuer)),
    ["chains", "orders", "steps", { name: "auth" }, "parameters", "claimsToHeaders"],
    [{ claim: "sub", header: "x-user" }],
  );
  await byRename(stage.policiesFile, writeData(edited));
  await waitFor({ what: "the edit to take effect", timeoutMs: 10_000 }, () => {
    const last = stage.upstream.requests.at(-1);
    return last !== undefined && valuesOf(last.headers, "x-user").length > 0 ? true : undefined;
  });
  const results = await traffic.stop();
  // How many there are is the machine's affair: there was traffic before, during and after.
  expect(results.length).toBeGreaterThan(10);
  expect(notAnswered(results, 200)).toEqual([]);
});

test("back with another key: a token signed with it passes at once, and so does the old one", async () => {
  await issuer.start();
  await issuer.rotate();
  const fresh = await issuer.token();
  expect((await send(stage.envoy.port, withToken(fresh))).status).toBe(200);
  expect((await order()).status).toBe(200);
});
