/**
 * A canary in every place where a secret can be: in what the engine reads, in what a client sends, in what an upstream answers. None of them may be
 * found in anything that leaves the engine. Whoever adds a way out adds it to `waysOut`.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { createDemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { type ClientResponse, send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { type OtlpCollector, startOtlpCollector } from "../support/otlp-collector.ts";
import { startTestStage } from "../support/test-stage.ts";

const issuer = createDemoIssuer();
const [headerToken, cookieToken] = [issuer.token(), issuer.token({ nonce: "another one" })];
const signatureOf = (token: string): string => token.split(".")[2] ?? "none";

/** By where it is. Long enough, and each another one, so that what is found says where it came from. Quotes are what JSON writes otherwise. */
const canaries = {
  secretFile: 'canary-secret-"file"-0a1b2c3d',
  secretVariable: "canary-secret-variable-4e5f6a7b",
  secretOfFailingPolicy: 'canary-secret-of-\\"failing"-1f2e3d4c',
  secretThatNoHeaderTakes: "canary-secret-control\u0001-5b6a7f8e",
  bearer: "canary-bearer-8c9d0e1f",
  basicPassword: "canary-basic-password-2a3b4c5d",
  apiKey: 'canary-api-"key"-6e7f8a9b',
  knownApiKey: "canary-known-api-key-9b8a7f6e",
  jwt: signatureOf(headerToken),
  jwtInCookie: signatureOf(cookieToken),
  cookie: "canary-cookie-0c1d2e3f",
  query: "canary-query-4a5b6c7d",
  body: "canary-body-8e9f0a1b",
  upstreamCookie: "canary-upstream-cookie-2c3d4e5f",
} as const;

const folder = mkdtempSync(join(tmpdir(), "canary-"));
const fileOf = (name: string): string => join(folder, name);
const secretFile = fileOf("secret");
const state = fileOf("state");
const basic = `Basic ${Buffer.from(`alice:${canaries.basicPassword}`).toString("base64")}`;

const injecting = [
  {
    policy: "set-header@2",
    name: "inject",
    when: 'request.headers[?"authorization"].orValue("").startsWith("B") || request.headers[?"cookie"].orValue("none") != "none"',
    parameters: {
      request: [
        { set: { name: "x-upstream-token", value: `\${file:${secretFile}}` } },
        { set: { name: "x-plain", value: "prefix-${env:CANARY_VARIABLE}-suffix" } },
        { setFrom: { name: "x-copied", expression: 'request.headers[?"x-api-key"].orValue("none") + request.query' } },
      ],
      response: [{ setFrom: { name: "x-copied-cookie", expression: 'request.headers[?"cookie"].orValue("none")' } }],
    },
  },
  {
    policy: "set-header@2",
    name: "number",
    when: 'int(request.headers[?"x-api-key"].orValue("0")) > 0',
    onError: "skip",
    parameters: { request: [{ set: { name: "x-never", value: "never" } }] },
  },
  { policy: "tells@1", onError: "skip", parameters: { secret: `\${file:${fileOf("failing")}}` } },
];

async function policiesText(): Promise<string> {
  const { invoices } = parse(await issuer.policies()).chains;
  const digest = createHash("sha256").update(canaries.knownApiKey).digest("hex");
  const places = [
    { in: "header", name: "x-api-key" },
    { in: "query", name: "api_key" },
  ];
  return stringify({
    version: 1,
    chains: {
      secrets: { steps: injecting },
      denying: { steps: [{ policy: "tells@1", parameters: { secret: `\${file:${fileOf("failing")}}` } }] },
      keys: { steps: [{ policy: "api-key-validation@1", parameters: { places, keys: [{ digest, owner: "alice" }] } }] },
      tokens: invoices,
    },
    routes: { orders: "secrets", reports: "denying", "catalogue-v1": "keys", invoices: "tokens" },
  });
}

const sent = {
  headers: {
    "x-api-key": canaries.apiKey,
    cookie: `theme=dark; session=${canaries.cookie}`,
    "x-echo": `I use ${canaries.apiKey} and ${canaries.cookie} today`,
  },
  method: "POST",
  body: JSON.stringify({ user: { password: canaries.body } }),
};

const everyKind = ["/orders/1", "/v1/catalogue", "/invoices/1"].flatMap((path) =>
  [`Bearer ${canaries.bearer}`, basic].map((authorization) => ({
    ...sent,
    path: `${path}?api_key=${canaries.query}`,
    headers: { ...sent.headers, authorization },
  })),
);
const told = ["throw", "reject", "reply", "log", "metadata", "call"].flatMap((what) =>
  ["/orders/2", "/reports/2"].map((path) => ({
    ...sent,
    path: `${path}?api_key=${canaries.query}`,
    headers: { ...sent.headers, authorization: `Bearer ${canaries.bearer}`, "x-do": what },
  })),
);
const accepted = [
  { path: "/v1/catalogue", headers: { "x-api-key": canaries.knownApiKey } },
  { path: `/v1/catalogue?api_key=${canaries.knownApiKey}`, headers: {} },
  { path: "/invoices/1", headers: { authorization: `Bearer ${headerToken}` } },
  { path: "/invoices/1", headers: { cookie: `access_token=${cookieToken}` } },
  // Two are refused.
  { path: "/invoices/1", headers: { authorization: `Bearer ${headerToken}`, cookie: `access_token=${cookieToken}` } },
].map((one) => ({ method: "GET", ...one }));

/** Each path with each kind of credential. */
const exchanges = [...everyKind, ...told, ...accepted];
const routes: readonly (readonly [string, string])[] = [
  ["/orders", "orders"],
  ["/reports", "reports"],
  ["/v1/", "catalogue-v1"],
  ["/invoices", "invoices"],
];

const program = join(import.meta.dirname, "canary-engine.ts");
let stage: Stage;
let collector: OtlpCollector;
/** Everything that has left the engine, by the way it took. */
let waysOut: Readonly<Record<string, string>>;

beforeAll(async () => {
  writeFileSync(secretFile, `${canaries.secretFile}\n`);
  writeFileSync(fileOf("failing"), canaries.secretOfFailingPolicy);
  writeFileSync(fileOf("control"), canaries.secretThatNoHeaderTakes);
  process.env.CANARY_VARIABLE = canaries.secretVariable;
  collector = await startOtlpCollector();
  stage = await startTestStage({
    program,
    policies: await policiesText(),
    settings: (settings) =>
      Object.entries({
        log: { level: "debug" },
        state,
        decisionLog: { to: `otlp:${collector.origin}`, sample: 1, headers: ["x-echo", "user-agent"] },
        traces: { to: `otlp:${collector.origin}` },
      }).reduce((data, [key, value]) => replaceAt(data, [key], value), settings),
    bootstrap: (bootstrap) => replaceAt(bootstrap, [...envoyPlaces.connectionManager, "tracing"], tracing),
  });
  const replies: ClientResponse[] = [];
  for (const [index, exchange] of exchanges.entries()) {
    replies.push(
      await send(stage.envoy.port, {
        ...exchange,
        headers: { ...exchange.headers, "x-request-id": `canary-exchange-${index}`, traceparent },
      }),
    );
  }
  waysOut = await collect(replies);
  return async () => {
    await stage.close();
    await collector.close();
    delete process.env.CANARY_VARIABLE;
    rmSync(folder, { recursive: true, force: true });
  };
}, 120_000);

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const tracing = {
  provider: {
    name: "envoy.tracers.opentelemetry",
    typed_config: { "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig", service_name: "front" },
  },
};

async function collect(replies: readonly ClientResponse[]): Promise<Readonly<Record<string, string>>> {
  const page = async (path: string): Promise<string> => (await send(stage.engine.adminPort, { path })).body;
  const asked = exchanges.map(({ path, ...request }) => ({
    route: routes.find(([prefix]) => path.startsWith(prefix))?.[1],
    request: { path, ...request },
    response: { headers: { "set-cookie": `s=${canaries.upstreamCookie}` } },
  }));
  const explain = async (one: object): Promise<string> => {
    const post = { method: "POST", path: "/explain", headers: { "content-type": "application/json" }, body: JSON.stringify(one) };
    return (await send(stage.engine.adminPort, post)).body;
  };
  const explained: string[] = [];
  for (const one of asked) explained.push(await explain(one));
  const requestFile = fileOf("requests.yaml");
  writeFileSync(requestFile, stringify(asked));
  const settings = join(stage.folder, "engine.settings.yaml");
  const cli = (...args: readonly string[]): string => {
    const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
    return stdout + stderr;
  };
  const offline = (...more: readonly string[]): string => cli("explain", "--config", stage.policiesFile, "--request", requestFile, ...more);
  const policies = readFileSync(stage.policiesFile, "utf8");
  const other = fileOf("other.yaml");
  writeFileSync(other, policies.replaceAll("x-plain", "x-changed").replace(`\${file:${secretFile}}`, "${env:CANARY_VARIABLE}"));
  const wrong = fileOf("wrong.yaml");
  const wrongText = policies.replaceAll("x-plain", "x-envoy-plain").replace(secretFile, fileOf("control"));
  writeFileSync(wrong, wrongText);
  const told = {
    "/decisions/ID": (await Promise.all(exchanges.map((_, index) => page(`/decisions/canary-exchange-${index}`)))).join(""),
    "POST /explain": explained.join(""),
    explain: offline(),
    "explain --json": offline("--json"),
    "explain --what-if": offline("--what-if", other),
    "explain --what-if, refused": offline("--what-if", wrong),
    "explain --settings": cli("explain", "--settings", settings, "--request", requestFile),
    "explain --id": cli("explain", "--settings", settings, "--id", "canary-exchange-0"),
    diff: cli("diff", stage.policiesFile, other),
    "diff --json": cli("diff", stage.policiesFile, other, "--json"),
    validate: cli("validate", "--bind", wrong),
    envoy: cli("envoy", "--settings", settings, stage.policiesFile),
    doctor: cli("doctor", "--settings", settings, "--envoy-admin", `http://127.0.0.1:${stage.envoy.adminPort}`, "--watch-for", "1s"),
    "answers in place of the upstream's": JSON.stringify(replies.filter(({ status }) => status !== 200).map(withoutCopies)),
  };
  writeFileSync(stage.policiesFile, wrongText);
  await waitFor({ what: "the refusal of a configuration", timeoutMs: 20_000 }, () =>
    stage.engine.log.some(({ problems }) => problems !== undefined) ? true : undefined,
  );
  const pages = ["/config", "/generations", "/routes/orders", "/readyz", "/metrics"];
  const shown = await Promise.all(pages.map(async (path) => [path, await page(path)] as const));
  // Its end sends what still waits.
  await stage.engine.stop();
  return {
    ...told,
    ...Object.fromEntries(shown),
    log: stage.engine.log.map((line) => JSON.stringify(line)).join("\n"),
    state: readdirSync(state, { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n"),
    "decision log": collector.logRecords.map((record) => JSON.stringify(record)).join("\n"),
    spans: collector.spans.map((span) => JSON.stringify(span)).join("\n"),
  };
}

/** A step of the configuration copies what the client has sent, for the client. */
const withoutCopies = ({ status, headers, body }: ClientResponse): object => ({
  status,
  headers: headers.filter(([name]) => name !== "x-copied-cookie"),
  body,
});

/** However often JSON was written into JSON. */
const unescaped = (text: string): string => text.replaceAll("\\", "");

test("every exchange was told of, and the canaries were where they belong", () => {
  const decisions = waysOut["/decisions/ID"] ?? "";
  expect(decisions.match(/"detail": "timeline"/g)).toHaveLength(exchanges.length);
  for (const what of ["POST /explain", "explain --json"]) {
    expect([what, waysOut[what]?.match(/"unansweredCalls"/g)?.length]).toEqual([what, exchanges.length]);
  }
  expect(waysOut["explain --what-if"]).toMatch(/ exchanges differ\n$/);
  for (const way of ["explain", "explain --json", "explain --settings", "log", "decision log", "/decisions/ID"]) {
    expect([way, waysOut[way]]).toEqual([way, expect.stringContaining("[redacted]")]);
  }
  expect(waysOut.doctor).toMatch(/the engine asked about/);
  expect(waysOut.envoy).toMatch(/ext_proc/);
  expect(collector.faults).toEqual([]);
  for (const way of Object.keys(waysOut)) expect([way, waysOut[way]?.length]).not.toEqual([way, 0]);
  const upstream = unescaped(JSON.stringify(stage.upstream.requests));
  for (const place of ["secretFile", "secretVariable", "apiKey", "cookie", "query"] as const) {
    expect([place, upstream.includes(canaries[place])]).toEqual([place, true]);
  }
  const outcomes = exchanges.map((_, index) => decisions.includes(`"requestId": "canary-exchange-${index}"`));
  expect(outcomes.every(Boolean)).toBe(true);
});

test.for(Object.entries(canaries))("nothing tells the canary of %s", ([, canary]) => {
  const forms = [
    canary,
    JSON.stringify(canary).slice(1, -1),
    Buffer.from(canary).toString("base64").slice(0, -4),
    encodeURIComponent(canary),
  ];
  const leaks = Object.entries(waysOut).flatMap(([way, text]) => {
    const [plain, places] = [unescaped(text), new Set(forms.map((form) => unescaped(text).indexOf(unescaped(form))))];
    return [...places].filter((at) => at >= 0).map((at) => `${way}: ${plain.slice(Math.max(0, at - 200), at + 60)}`);
  });
  expect(leaks).toEqual([]);
});
