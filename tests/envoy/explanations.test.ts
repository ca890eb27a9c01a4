/** What the engine says about exchanges, held against what they really came to: the demo's requests through a real Envoy. */
import { beforeAll, describe, expect, test } from "vitest";
import { createDemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { explanationOf } from "../../scripts/demo/explanations.ts";
import { type DemoRequest, demoRequests } from "../../scripts/demo/requests.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import type { SeenRequest } from "../../scripts/processes/start-upstream.ts";
import { compareExplained } from "../../src/explain/compare-explained.ts";
import type { Explained } from "../../src/explain/explain-exchange.ts";
import type { Explanation } from "../../src/worker/explanation.ts";
import { startTestStage } from "../support/test-stage.ts";

const issuer = createDemoIssuer();
const requests = demoRequests(issuer);
let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({ policies: await issuer.policies() });
  return () => stage.close();
});

describe("a recorded exchange", () => {
  test.for(requests)("$request.path, $title", async (demo, { task }) => {
    const explanation = await explanationFor(demo, task.id);
    expect(explanation).toMatchObject(decided(demo));
    const seen = stage.upstream.find(task.id);
    if (seen === undefined) expect(explanation.told).toMatchObject([{ to: "request-headers", kind: "reply", status: demo.status }]);
    else expect(arriving(explanation, namesIn(seen))).toEqual(arrived(seen, namesIn(seen)));
  });

  test("no credential of the demo is in what the engine tells", async () => {
    const kept = await Promise.all(requests.map((demo, index) => explanationFor(demo, `credentials-${index}`)));
    const credentials = requests.flatMap(({ request: { headers = {} } }) => Object.values(headers)).filter((value) => value.length > 9);
    expect(credentials.length).toBeGreaterThan(10);
    const text = JSON.stringify(kept);
    for (const credential of credentials) expect(text).not.toContain(credential.replace(/^.*[ =]/, ""));
  });
});

describe("POST /explain", () => {
  test.for(requests)("says the same without Envoy: $request.path, $title", async (demo, { task, skip }) => {
    const real = await explanationFor(demo, task.id);
    if (real.route === "") return skip("Envoy has matched no route, so there is nothing to name");
    const { method = "GET", path, headers = {}, body } = demo.request;
    const request = { method, path, headers, ...(body === undefined ? {} : { body }) };
    const asked = { route: real.route, request, response: { headers: { "x-powered-by": "the upstream" } } };
    const answer = await send(stage.engine.adminPort, {
      method: "POST",
      path: "/explain",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asked),
    });
    expect(answer.status).toBe(200);
    const { explanation }: Explained = JSON.parse(answer.body);
    expect(compareExplained(ofSteps(real), ofSteps(explanation))).toEqual([]);
    expect(explanation.generation).toBe(real.generation);
  });

  test("touches nothing of the running engine", async () => {
    const before = await counted();
    const asked = { route: "orders", request: { headers: { "x-api-key": "demo-alice-key" } } };
    const headers = { "content-type": "application/json" };
    const { status } = await send(stage.engine.adminPort, { method: "POST", path: "/explain", headers, body: JSON.stringify(asked) });
    expect([status, await counted()]).toEqual([200, before]);
  });

  test.for([
    [{ "content-type": "text/plain" }, 415],
    [{ "content-type": "application/json", origin: "https://elsewhere.example" }, 403],
    [{ "content-type": "application/json", host: "elsewhere.example" }, 421],
  ] as const)("runs nothing for a web page: %o is %i", async ([headers, status]) => {
    const answer = await send(stage.engine.adminPort, { method: "POST", path: "/explain", headers, body: "{}" });
    expect(answer.status).toBe(status);
  });

  test.for([
    ["{}", 400, "must name a `route`"],
    ['{ "route": "orders", "rout": 1 }', 400, "rout"],
    ["route: orders", 400, "no JSON"],
    [JSON.stringify({ route: "orders", calls: Array.from({ length: 5_000 }, () => 1) }), 400, "more than 5000 values"],
    [`{"route":"orders","calls":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 400, "more than 5000 values"],
    [JSON.stringify({ route: "orders", request: { body: "x".repeat(1024 * 1024) } }), 413, "larger"],
  ] as const)("refuses what is not described as it must be", async ([body, status, text]) => {
    const headers = { "content-type": "application/json" };
    const answer = await send(stage.engine.adminPort, { method: "POST", path: "/explain", headers, body });
    expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(text)]);
  });
});

async function explanationFor({ request }: DemoRequest, id: string): Promise<Explanation> {
  await send(stage.envoy.port, { ...request, headers: { ...request.headers, "x-request-id": id } });
  return explanationOf(stage.engine.adminPort, id);
}

/** What the demo says about the step, as its own text names it: `auth replied 401 jwt-expired`, `no chain ⇒ 404 no-route`. */
function decided({ steps, status }: DemoRequest): object {
  const [, step, code] = /(\S+) replied \d+ (\S+)$/.exec(steps) ?? [];
  if (step !== undefined) return { outcome: "replied", status, step, code };
  const [, refusal] = /⇒ \d+ (\S+)$/.exec(steps) ?? [];
  return refusal === undefined ? { outcome: "continued" } : { outcome: "refused", status, code: refusal };
}

/** Envoy adds to what it sends on, after it has asked. */
const namesIn = ({ headers }: SeenRequest): readonly string[] => {
  const names = new Set(headers.map(([name]) => name).filter((name) => !name.startsWith("x-envoy-") && name !== "connection"));
  return [...names].filter((name) => name !== "host");
};

/** The request after the changes of the steps, as the explanation tells it. */
function arriving({ request, steps }: Explanation, names: readonly string[]): object {
  const lines = new Map<string, readonly string[]>();
  for (const { name, value } of request.headers) lines.set(name, [...(lines.get(name) ?? []), value]);
  for (const { changes } of steps) for (const { of, name, after } of changes) if (of === "request-header") lines.set(name, after);
  const regular = [...lines].filter(([name, values]) => !name.startsWith(":") && values.length > 0);
  return { path: lines.get(":path")?.[0], headers: Object.fromEntries(regular.toSorted(byName)), names: names.toSorted() };
}

function arrived({ path, headers }: SeenRequest, names: readonly string[]): object {
  const values = names.map((name) => [name, name === "cookie" ? ["[redacted]"] : valuesOf(headers, name)] as const);
  return { path, headers: Object.fromEntries(values.toSorted(byName)), names: names.toSorted() };
}

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number => (one < other ? -1 : 1);

/** Only what the chain did. */
const ofSteps = (explanation: Explanation): Explained => ({
  explanation: { ...explanation, told: [], reason: undefined },
  upstream: undefined,
  client: undefined,
  unansweredCalls: [],
});

async function counted(): Promise<string> {
  const { body } = await send(stage.engine.adminPort, { path: "/metrics" });
  return body
    .split("\n")
    .filter((line) => /^policy_engine_(step|chain|exchange)/.test(line))
    .join("\n");
}
