/**
 * A canary in every place where a secret can be: in what the engine reads, in what a client sends, in what an upstream answers. None of them may be
 * found in anything that leaves the engine. Whoever adds a way out adds it to `waysOut`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { type ClientResponse, send } from "../../scripts/processes/send.ts";
import { type Stage, startStage } from "../../scripts/processes/start-stage.ts";
import { runCli } from "../cli/run-cli.ts";

/** By where it is. Long enough, and each another one, so that what is found says where it came from. */
const canaries = {
  secretFile: "canary-secret-file-0a1b2c3d",
  secretVariable: "canary-secret-variable-4e5f6a7b",
  bearer: "canary-bearer-8c9d0e1f",
  basicPassword: "canary-basic-password-2a3b4c5d",
  apiKey: "canary-api-key-6e7f8a9b",
  cookie: "canary-cookie-0c1d2e3f",
  query: "canary-query-4a5b6c7d",
  body: "canary-body-8e9f0a1b",
  upstreamCookie: "canary-upstream-cookie-2c3d4e5f",
} as const;

const folder = mkdtempSync(join(tmpdir(), "canary-"));
const secretFile = join(folder, "secret");
const basic = `Basic ${Buffer.from(`alice:${canaries.basicPassword}`).toString("base64")}`;

const policies = stringify({
  version: 1,
  chains: {
    secrets: {
      steps: [
        {
          policy: "set-header@2",
          name: "inject",
          when: 'request.headers[?"authorization"].orValue("").startsWith("B") || request.headers[?"cookie"].orValue("none") != "none"',
          parameters: {
            request: [
              { set: { name: "x-upstream-token", value: `\${file:${secretFile}}` } },
              { set: { name: "x-plain", value: `prefix-\${env:CANARY_VARIABLE}-suffix` } },
              { setFrom: { name: "x-copied", expression: 'request.headers[?"x-api-key"].orValue("none") + request.query' } },
            ],
            response: [{ setFrom: { name: "x-copied-cookie", expression: 'request.headers[?"cookie"].orValue("none")' } }],
          },
        },
      ],
    },
    keys: { steps: [{ policy: "api-key-validation@1", parameters: { keys: [] } }] },
    tokens: {
      steps: [
        {
          policy: "jwt-validation@2",
          parameters: { issuers: [{ issuer: "https://a.example", audiences: ["a"], jwks: { keys: [key()] } }] },
        },
      ],
    },
  },
  routes: { orders: "secrets", "catalogue-v1": "keys", "catalogue-v2": "tokens" },
});

/** RFC 8037 A.2. */
function key(): object {
  return { kty: "OKP", crv: "Ed25519", kid: "a", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
}

const request = {
  headers: {
    "x-api-key": canaries.apiKey,
    cookie: `theme=dark; session=${canaries.cookie}`,
  },
  method: "POST",
  body: JSON.stringify({ user: { password: canaries.body } }),
};

/** Each path with each kind of credential. */
const exchanges = ["/orders/1", "/v1/catalogue", "/v2/catalogue"].flatMap((path) =>
  [`Bearer ${canaries.bearer}`, basic].map((authorization) => ({
    ...request,
    path: `${path}?api_key=${canaries.query}`,
    headers: { ...request.headers, authorization },
  })),
);

let stage: Stage;
/** Everything that has left the engine, by the way it took. */
let waysOut: Readonly<Record<string, string>>;

beforeAll(async () => {
  writeFileSync(secretFile, `${canaries.secretFile}\n`);
  process.env.CANARY_VARIABLE = canaries.secretVariable;
  stage = await startStage({ policies });
  const replies: ClientResponse[] = [];
  for (const [index, exchange] of exchanges.entries()) {
    replies.push(
      await send(stage.envoy.port, { ...exchange, headers: { ...exchange.headers, "x-request-id": `canary-exchange-${index}` } }),
    );
  }
  waysOut = await collect(replies);
  return async () => {
    await stage.close();
    delete process.env.CANARY_VARIABLE;
    rmSync(folder, { recursive: true, force: true });
  };
}, 60_000);

async function collect(replies: readonly ClientResponse[]): Promise<Readonly<Record<string, string>>> {
  const page = async (path: string): Promise<string> => (await send(stage.engine.adminPort, { path })).body;
  const explain = async (index: number): Promise<string> => {
    const { path, method, headers, body } = exchanges[index] ?? { path: "/", ...request };
    const asked = {
      route: index < 2 ? "orders" : "catalogue-v1",
      request: { path, method, headers, body },
      response: { headers: { "set-cookie": `s=${canaries.upstreamCookie}` } },
    };
    const post = { method: "POST", path: "/explain", headers: { "content-type": "application/json" }, body: JSON.stringify(asked) };
    return (await send(stage.engine.adminPort, post)).body;
  };
  const requestFile = join(folder, "request.yaml");
  writeFileSync(requestFile, stringify({ route: "orders", request: exchanges[0] && { ...exchanges[0] } }));
  const offline = (...more: readonly string[]): string => {
    const { stdout, stderr } = runCli("explain", "--config", stage.policiesFile, "--request", requestFile, ...more);
    return stdout + stderr;
  };
  const wrong = join(folder, "wrong.yaml");
  writeFileSync(wrong, policies.replaceAll("x-plain", "x-envoy-plain").replace("keys: []", `keys: ["\${file:${secretFile}}"]`));
  return {
    log: JSON.stringify(stage.engine.log),
    "/config": await page("/config"),
    "/generations": await page("/generations"),
    "/routes/orders": await page("/routes/orders"),
    "/readyz": await page("/readyz"),
    "/metrics": await page("/metrics"),
    "/decisions/ID": (await Promise.all(exchanges.map((_, index) => page(`/decisions/canary-exchange-${index}`)))).join(""),
    "POST /explain": (await explain(0)) + (await explain(1)) + (await explain(2)),
    explain: offline(),
    "explain --json": offline("--json"),
    "explain --what-if": offline("--what-if", wrong),
    validate: JSON.stringify(runCli("validate", "--bind", wrong)),
    "the engine's own answers": JSON.stringify(replies.filter(({ status }) => status !== 200)),
  };
}

test("every exchange was told of, and the canaries were where they belong", () => {
  const told = waysOut["/decisions/ID"] ?? "";
  expect(told.match(/"detail": "timeline"/g)).toHaveLength(exchanges.length);
  expect(waysOut["POST /explain"]?.match(/"unansweredCalls"/g)).toHaveLength(3);
  for (const way of ["explain", "explain --json"]) expect([way, waysOut[way]]).toEqual([way, expect.stringContaining("[redacted]")]);
  const upstream = JSON.stringify(stage.upstream.requests);
  for (const place of ["secretFile", "secretVariable", "apiKey", "cookie", "query", "body"] as const) {
    expect([place, upstream.includes(canaries[place])]).toEqual([place, true]);
  }
});

test.for(Object.entries(canaries))("nothing tells the canary of %s", ([, canary]) => {
  const forms = [canary, Buffer.from(canary).toString("base64").slice(0, -4), encodeURIComponent(canary)];
  const told = Object.entries(waysOut).filter(([, text]) => forms.some((form) => text.includes(form)));
  expect(told.map(([way, text]) => `${way}: ${text.slice(Math.max(0, text.indexOf(canary) - 80), text.indexOf(canary) + 40)}`)).toEqual([]);
});
