import { readFile } from "node:fs/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import type { LogLine } from "../../scripts/processes/start-engine.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readiness, readMetrics } from "../support/admin.ts";
import { byRename, bySymlinkSwap, inPlace, type Replace } from "../support/replace-file.ts";
import { startTestStage } from "../support/test-stage.ts";
import { notAnswered, startTraffic, type Traffic, type TrafficResult } from "../support/traffic.ts";

/** A configuration whose every answer carries its number twice: as the upstream saw it, and as the response handler set it. */
function generation(number: number): string {
  return `version: 1
chains:
  stamped:
    steps:
      - policy: set-header@1
        parameters: { request: [{ name: x-stamp, set: "${number}" }], response: [{ name: x-stamp, set: "${number}" }] }
      - policy: set-header@2
        name: cleaned
        when: request.path != "/"
        parameters: { request: [{ removeMatching: { pattern: ^x-internal- } }] }
routes: { orders: stamped }
`;
}

interface BadFile {
  readonly what: string;
  readonly spoil: (text: string) => string;
  readonly code: string;
  /** Line and column of the problem. */
  readonly at: string;
}

const badFiles: readonly BadFile[] = [
  { what: "no YAML", spoil: (text) => `${text}chains: [`, code: "yaml-syntax", at: "12:10" },
  { what: "an unknown policy", spoil: (text) => text.replace("set-header@1", "set-headr@1"), code: "policy-unknown", at: "5:17" },
  { what: "an unknown version", spoil: (text) => text.replace("set-header@1", "set-header@9"), code: "policy-version-unknown", at: "5:17" },
  {
    what: "a field that does not exist",
    spoil: (text) => text.replace("request.path", "reqest.path"),
    code: "expression-unknown-name",
    at: "9:15",
  },
  {
    what: "an index that may be missing",
    spoil: (text) => text.replace("request.path", 'request.headers["x-a"]'),
    code: "expression-may-be-missing",
    at: "9:15",
  },
  { what: "a wrong parameter", spoil: (text) => text.replace("name: x-stamp", "nmae: x-stamp"), code: "parameter-missing", at: "6:33" },
  { what: "a bad pattern", spoil: (text) => text.replace("^x-internal-", '"^x-(internal-"'), code: "pattern-invalid", at: "10:62" },
  { what: "an unknown chain", spoil: (text) => text.replace("orders: stamped", "orders: stampd"), code: "chain-undefined", at: "11:19" },
  { what: "an empty file", spoil: () => "", code: "wrong-type", at: "1:1" },
];

const ways: readonly Replace[] = [inPlace, byRename, bySymlinkSwap];
const generations = 24;

let stage: Stage;
let traffic: Traffic;

beforeAll(async () => {
  stage = await startTestStage({ policies: generation(1) });
  return () => stage.close();
});

test("hot reload under traffic: every answer is whole, of one generation, and bad files change nothing", async () => {
  let sent = 0;
  traffic = startTraffic({
    port: stage.envoy.port,
    clients: 8,
    // Some answers take longer than a reload, so that request and response meet different files.
    next: () => ({ path: "/orders", headers: { "x-internal-a": "1", ...(++sent % 4 === 0 ? { "x-answer": '{"delayMs":300}' } : {}) } }),
  });
  onTestFinished(() => void traffic.stop());

  let number = 1;
  for (let round = 0; number < generations; round++) {
    number += 1;
    await replaceWith(ways[round % ways.length] ?? inPlace, generation(number));
    await seen(number);
    const bad = badFiles[round];
    if (bad !== undefined) {
      await refuse(bad, ways[(round + 1) % ways.length] ?? inPlace, number);
      await seen(number);
    }
  }
  const results = await traffic.stop();

  expect(notAnswered(results, 200)).toEqual([]);
  const stamps = results.map(stampsOf);
  expect(stamps.filter(({ request, response }) => request !== response || request === undefined)).toEqual([]);
  // Every good file was seen, and none of the bad ones, which have other numbers.
  expect(new Set(stamps.map(({ response }) => Number(response)))).toEqual(
    new Set(Array.from({ length: generations }, (_, index) => index + 1)),
  );
  expect(stage.upstream.requests.filter(({ headers }) => valuesOf(headers, "x-internal-a").length > 0)).toEqual([]);

  const metrics = await readMetrics(stage.engine);
  expect(metrics('policy_engine_reloads_total{verdict="accepted"}')).toBe(metrics("policy_engine_generation"));
  await waitFor({ what: "old generations to be closed", timeoutMs: 5_000 }, async () => {
    const open = await readMetrics(stage.engine);
    return open("policy_engine_generations_open") === 1 && open("policy_engine_exchanges_open") === 0 ? true : undefined;
  });
});

async function replaceWith(replace: Replace, text: string): Promise<void> {
  await replace(stage.policiesFile, text);
  expect(await readFile(stage.policiesFile, "utf8")).toBe(text);
}

/** Waits for an answer with this generation's stamp. */
async function seen(number: number): Promise<void> {
  const before = traffic.results.length;
  await waitFor(
    { what: `an answer of generation ${number}`, timeoutMs: 10_000, explain: () => JSON.stringify(stage.engine.log.slice(-3)) },
    () => (traffic.results.slice(before).some((result) => stampsOf(result).response === String(number)) ? true : undefined),
  );
}

/** Puts a bad file in place and waits until it has been refused where people look: in the log with its position, in the metrics. */
async function refuse({ what, spoil, code, at }: BadFile, replace: Replace, number: number): Promise<void> {
  const sample = `policy_engine_refusals_total{code="${code}"}`;
  const before = (await readMetrics(stage.engine))(sample);
  const logged = stage.engine.log.length;
  await replaceWith(replace, spoil(generation(number + 1000)));
  const problem = await waitFor(
    { what: `${what} to be refused`, timeoutMs: 10_000, explain: () => JSON.stringify(stage.engine.log.slice(-3)) },
    () =>
      stage.engine.log
        .slice(logged)
        .flatMap(problemsOf)
        .find((one) => one.at === `${stage.policiesFile}:${at}`),
  );
  expect([what, problem.code]).toEqual([what, code]);
  expect((await readMetrics(stage.engine))(sample)).toBeGreaterThan(before);
  expect(await readiness(stage.engine)).toBe(200);
}

interface LoggedProblem {
  readonly code?: unknown;
  readonly at?: unknown;
}

function problemsOf(line: LogLine): readonly LoggedProblem[] {
  return Array.isArray(line.problems) ? line.problems : [];
}

function stampsOf(result: TrafficResult): { readonly request: string | undefined; readonly response: string | undefined } {
  if (result.kind === "broken" || result.response.status !== 200) return { request: undefined, response: undefined };
  const upstream: { readonly headers: readonly (readonly [string, string])[] } = JSON.parse(result.response.body);
  return { request: valuesOf(upstream.headers, "x-stamp")[0], response: valuesOf(result.response.headers, "x-stamp")[0] };
}
