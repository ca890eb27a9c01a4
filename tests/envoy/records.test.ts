/** Decisions, spans and metrics of real exchanges: they say what happened, belong together, and give no secret away. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createCleanup } from "../../scripts/processes/cleanup.ts";
import { replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { type ClientRequest, type ClientResponse, send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";
import type { DecisionRecord } from "../../src/engine/decision-record.ts";
import { readMetrics } from "../support/admin.ts";
import { attributesOf, type OtlpCollector, startOtlpCollector } from "../support/otlp-collector.ts";
import { startTestStage } from "../support/test-stage.ts";

const canary = "canary-7f3a9c";
const [traceId, clientSpan] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

const policies = (secretFile: string): string => `
version: 1
chains:
  orders:
    steps:
      - policy: api-key-validation@1
        name: auth
        parameters: { places: [{ in: header, name: x-api-key }, { in: query, name: api_key }], keys: [{ digest: 6e5d35a55b80d29164c5e6576b4dbe50836237a17b5b4af841b091e25f6132b4, owner: alice }] }
      - policy: set-header@2
        name: identity
        parameters:
          request: [{ setFrom: { name: x-user, expression: metadata.auth.subject } }, { set: { name: x-partner, value: "\${file:${secretFile}}" } }]
          response: [{ remove: { name: x-powered-by } }]
      - { policy: set-header@2, name: never, when: request.path == "/never", parameters: { request: [{ set: { name: x-never, value: never } }] } }
  broken:
    steps:
      - { policy: set-header@2, name: breaks, when: 'int(request.headers[?"x-number"].orValue("1")) > 0', onError: skip, parameters: { request: [{ set: { name: x-n, value: n } }] } }
routes: { orders: orders, catalogue-v1: broken, health: [] }
`;

const requests: Readonly<Record<string, ClientRequest>> = {
  approved: { path: "/orders/1", headers: { "x-api-key": "demo-alice-key", traceparent: `00-${traceId}-${clientSpan}-01` } },
  unsampled: { path: "/orders/2", headers: { "x-api-key": "demo-alice-key", traceparent: `00-${traceId}-${clientSpan}-00` } },
  denied: {
    path: `/orders/3?api_key=${canary}-query`,
    headers: {
      "x-api-key": `${canary}-key`,
      authorization: `Bearer ${canary}-token`,
      cookie: `session=${canary}-cookie`,
      "user-agent": `curl ${canary}-file`,
      "x-echo": `I use ${canary}-key today`,
      traceparent: `00-${traceId}-${clientSpan}-01`,
    },
  },
  skipped: { path: "/v1/catalogue", headers: { "x-number": "none" } },
  unknown: { path: "/forgotten" },
  passed: { path: "/health" },
};

let stage: Stage;
let collector: OtlpCollector;
let records: readonly DecisionRecord[];
let metrics: string;
let sample: (name: string) => number;
const answers = new Map<string, ClientResponse>();
const cleanup = createCleanup();

afterAll(cleanup.run);

beforeAll(async () => {
  const { path: folder, remove } = await temporaryFolder();
  cleanup.add(remove);
  const [secretFile, decisions] = [join(folder, "secret"), join(folder, "decisions.jsonl")];
  await writeFile(secretFile, `${canary}-file`);
  collector = await startOtlpCollector();
  cleanup.add(collector.close);
  stage = await startTestStage({
    policies: policies(secretFile),
    settings: (settings) =>
      Object.entries({
        decisionLog: { to: `file:${decisions}`, sample: 1, headers: ["user-agent", "x-echo"] },
        traces: { to: `otlp:${collector.origin}` },
        state: join(folder, "state"),
        shutdown: { drainDelay: "0s", grace: "5s" },
      }).reduce((data, [key, value]) => replaceAt(data, [key], value), settings),
    bootstrap: (bootstrap) => replaceAt(bootstrap, [...envoyPlaces.connectionManager, "tracing"], tracing),
  });
  cleanup.add(stage.close);
  for (const [name, request] of Object.entries(requests)) {
    const { headers = {}, ...rest } = request;
    answers.set(name, await send(stage.envoy.port, { ...rest, headers: { ...headers, "x-request-id": name } }));
  }
  sample = await readMetrics(stage.engine);
  metrics = (await send(stage.engine.adminPort, { path: "/metrics" })).body;
  // Its end sends what still waits.
  await stage.engine.stop();
  records = readFileSync(decisions, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
});

/** Envoy's own spans are not exported, but it hands its context on. */
const tracing = {
  random_sampling: { value: 0 },
  provider: {
    name: "envoy.tracers.opentelemetry",
    typed_config: { "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig", service_name: "front" },
  },
};

const recordOf = (name: string): DecisionRecord | undefined => records.find(({ requestId }) => requestId === name);

describe("the decision log", () => {
  test("has a line for each exchange, and the schema takes all of them", () => {
    const validate = new Ajv2020({ strict: false }).compile(
      JSON.parse(readFileSync(join(import.meta.dirname, "../../schemas/decision.schema.json"), "utf8")),
    );
    const known = new Set(Object.keys(Object(validate.schema).properties));
    for (const record of records) {
      validate(record);
      expect(validate.errors, JSON.stringify(record)).toBe(null);
      expect(Object.keys(record).filter((key) => !known.has(key))).toEqual([]);
    }
    expect(records.map(({ requestId }) => requestId).toSorted()).toEqual(Object.keys(requests).toSorted());
  });

  test.each<[string, Partial<DecisionRecord>]>([
    ["approved", { route: "orders", chain: "orders", outcome: "continued", sample: 1, failures: [], generation: 1, traceId }],
    ["denied", { route: "orders", chain: "orders", outcome: "replied", status: 400, code: "api-key-several", step: "auth", traceId }],
    ["skipped", { chain: "broken", outcome: "continued", code: "condition-failed", step: "breaks" }],
    ["unknown", { route: "forgotten", outcome: "refused", status: 500, code: "route-unknown" }],
    ["passed", { route: "health", outcome: "passed", sample: 1 }],
  ])("%s", (name, expected) => {
    const record = recordOf(name);
    expect(record).toMatchObject(expected);
    const told = answers.get(name);
    if (record?.status !== undefined)
      expect([valuesOf(told?.headers ?? [], "x-decision-id"), told?.status]).toEqual([[record.id], record.status]);
  });

  test("a failure that was passed over is in it, and is no matter of chance", () => {
    const failure = { step: "breaks", policy: "set-header@2.0.0", phase: "request", code: "condition-failed", handled: "skip" };
    expect(recordOf("skipped")?.failures).toEqual([failure]);
    expect(recordOf("skipped")?.sample).toBe(undefined);
  });

  test("only listed headers are in it, and neither a secret nor a credential of the request in one", () => {
    expect(recordOf("denied")?.headers).toEqual({ "user-agent": "curl [redacted]", "x-echo": "I use [redacted] today" });
  });
});

describe("spans", () => {
  test("a collector takes them all", () => {
    expect(collector.faults).toEqual([]);
    expect(collector.spans.length).toBeGreaterThan(0);
  });

  test("only what Envoy samples has any, and an exchange hangs under Envoy's span of its question", () => {
    const exchanges = collector.spans.filter(({ name }) => name.startsWith("policy exchange"));
    const ids = exchanges.map((span) => attributesOf(span)["policy_engine.decision_id"]);
    expect(ids).toEqual([recordOf("approved")?.id, recordOf("denied")?.id]);
    for (const { parentSpanId, traceId: trace } of exchanges) {
      expect(trace).toBe(traceId);
      // Envoy's span for its question to the engine, which is not the client's.
      expect(parentSpanId).not.toBe(clientSpan);
    }
  });

  test("each step that was reached has one inside its exchange's", () => {
    const of = (name: string) => {
      const exchange = collector.spans.find((span) => attributesOf(span)["policy_engine.decision_id"] === recordOf(name)?.id);
      const steps = collector.spans.filter(({ parentSpanId }) => parentSpanId === exchange?.spanId);
      return { exchange, steps };
    };
    const outcomes = (name: string) =>
      of(name).steps.map((span) => ["step", "phase", "outcome"].map((key) => attributesOf(span)[`policy_engine.${key}`]).join(" "));
    expect(outcomes("approved")).toEqual(["auth request ran", "identity request ran", "never request skipped", "identity response ran"]);
    expect(outcomes("denied")).toEqual(["auth request replied"]);
    const { exchange, steps } = of("approved");
    const starts = steps.map(({ startTimeUnixNano }) => BigInt(startTimeUnixNano));
    expect(starts).toEqual(starts.toSorted((a, b) => Number(a - b)));
    for (const step of steps) {
      expect(BigInt(step.startTimeUnixNano) >= BigInt(exchange?.startTimeUnixNano ?? 0)).toBe(true);
      expect(BigInt(step.endTimeUnixNano) <= BigInt(exchange?.endTimeUnixNano ?? 0)).toBe(true);
    }
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(collector.spans.length);
  });
});

describe("metrics", () => {
  test("exchanges by route, chain and outcome, and the engine's refusals by code", () => {
    const exchanges = (route: string, chain: string, outcome: string): number =>
      sample(`policy_engine_route_exchanges_total{route="${route}",chain="${chain}",outcome="${outcome}"}`);
    expect([exchanges("orders", "orders", "continued"), exchanges("orders", "orders", "replied")]).toEqual([2, 1]);
    expect([exchanges("health", "", "passed"), exchanges("catalogue-v1", "broken", "continued"), exchanges("", "", "failed")]).toEqual([
      1, 1, 1,
    ]);
    expect(metrics).not.toContain("forgotten");
    expect(sample('policy_engine_failures_total{code="route-unknown"}')).toBe(1);
    expect(sample("policy_engine_ready")).toBe(1);
  });

  test("every metric is documented", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/observability.md"), "utf8");
    const names = [...metrics.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);
    expect(names.filter((name) => !page.includes(`\`${name}\``) && !name.startsWith("policy_engine_policy_"))).toEqual([]);
    expect(names.length).toBeGreaterThan(20);
  });

  test("every metric that an alert reads is there", () => {
    const text = readFileSync(join(import.meta.dirname, "../../configs/prometheus/alerts.yaml"), "utf8");
    const expressions: readonly string[] = parse(text).groups.flatMap(({ rules }: { rules: { expr: string }[] }) =>
      rules.map(({ expr }) => expr),
    );
    const read = new Set(expressions.flatMap((expression) => expression.match(/\b(?:policy_engine|nodejs)_\w+/g) ?? []));
    expect([...read].filter((name) => !metrics.includes(`# TYPE ${name} `))).toEqual([]);
    expect(read.size).toBeGreaterThan(10);
  });
});

test("no secret is in the log, a decision, a span or a metric", () => {
  const everything = { log: stage.engine.log, records, spans: collector.spans, metrics };
  for (const [place, content] of Object.entries(everything)) expect(JSON.stringify(content), place).not.toContain(canary);
  // It did reach the upstream, so it was there to be given away.
  expect(JSON.stringify(stage.upstream.requests)).toContain(`${canary}-file`);
});
