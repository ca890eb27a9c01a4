/** An issuer whose certificate only a private CA vouches for. */
import { createServer } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { portOf } from "../../../scripts/processes/free-port.ts";
import { outgoingFetch } from "../../../src/engine/outgoing-fetch.ts";
import { policies } from "../../../src/generated/registry.ts";
import { startTestEngine, type TestExchange } from "../../../src/testing/test-engine.ts";
import { certificateAuthority, serverCertificate } from "../../support/certificates.ts";
import { issuer, jwks, tokensAt } from "./token-table.ts";

const now = Date.UTC(2026, 0, 1) / 1000;
const authority = certificateAuthority("private");
const { pem: cert, privateKey } = serverCertificate("localhost", authority);
const server = createServer({ cert, key: privateKey.export({ format: "pem", type: "pkcs8" }) }, (_, response) =>
  response.end(JSON.stringify({ keys: jwks })),
);

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function withCa(ca: string | undefined, environment: Readonly<Record<string, string>> = {}): Promise<TestExchange> {
  const source = { uri: `https://localhost:${portOf(server)}/keys`, ...(ca === undefined ? {} : { ca }) };
  const steps = [{ policy: "jwt-validation@2", parameters: { issuers: [{ issuer, jwks: source }] } }];
  const engine = await startTestEngine({
    policies,
    environment,
    config: stringify({ version: 1, chains: { a: { steps } }, routes: { a: "a" } }),
    now: () => now * 1000,
    fetch: ({ url, init }) => outgoingFetch(url, init),
  });
  const result = await engine.exchange({ route: "a", headers: { authorization: `Bearer ${tokensAt(now)()}` } });
  engine.close();
  return result;
}

test("with it the keys come, also by reference", async () => {
  expect((await withCa(authority.pem)).client.status).toBe(200);
  expect((await withCa("${env:CA}", { CA: authority.pem })).client.status).toBe(200);
});

test("without it and with another one they do not", async () => {
  expect((await withCa(undefined)).reply).toBe("jwt-keys-not-ready");
  expect((await withCa(certificateAuthority("other").pem)).reply).toBe("jwt-keys-not-ready");
});

test("a text that is no certificate is refused when the configuration is loaded", async () => {
  await expect(withCa("/etc/ssl/ca.pem")).rejects.toThrow("`jwks.ca` is no certificate");
});
