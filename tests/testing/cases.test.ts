/** Case files are read and run as their goldens say: what is refused, what differs and how that is shown. */
import { describe, expect, test } from "vitest";
import { resultLines } from "../../src/cli/case-report.ts";
import { parseManifest } from "../../src/config/manifest.ts";
import { formatProblems } from "../../src/config/problems.ts";
import { createSchemaEngine } from "../../src/config/schema-engine.ts";
import type { PolicyRelease, SourceDocument } from "../../src/config/types.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";
import { type CaseFile, parseCases } from "../../src/testing/case-format.ts";
import { type CaseSubject, runCases } from "../../src/testing/cases.ts";
import { casesIn, expectGolden } from "../config/goldens.ts";

const schemas = createSchemaEngine(loadPatternEngine().engine);

describe("a file that is refused", () => {
  test.each(casesIn(new URL("refused/", import.meta.url).href))("$name", ({ documents, goldenPath }) => {
    const parsed = parseCases(only(documents), schemas);
    expectGolden(goldenPath, "problems" in parsed ? `${formatProblems(parsed.problems)}\n` : "accepted\n");
  });
});

describe("a file that is run", () => {
  const config = `
version: 1
chains:
  two:
    steps:
      - { policy: probe@1, name: one, parameters: { set: { x-one: "1" } } }
      - { policy: set@1, name: two, parameters: { name: x-two, value: "\${env:STATUS} \${file:/run/secret}" } }
  reply: { steps: [{ policy: probe@1, when: 'request.headers[?"x-let"].orValue("") == "me"', parameters: { reply: 403 } }] }
  skip: { steps: [{ policy: probe@1, parameters: { throw: x }, onError: skip }] }
routes: { two: two, reply: reply, skip: skip }
`;
  const subjects: Readonly<Record<string, CaseSubject>> = {
    policy: { kind: "policy", release: probe() },
    config: { kind: "config", documents: [{ uri: "policies.yaml", text: config }] },
  };
  const policies = new Map([probe(), setter()].map((release) => [`${release.manifest.name}@1.0.0`, release]));

  test.each(casesIn(new URL("run/", import.meta.url).href))("$name", async ({ name, documents, goldenPath }) => {
    const results = await runCases(read(only(documents)), subjectOf(name), { policies });
    expectGolden(goldenPath, `${results.flatMap(resultLines).join("\n")}\n`);
    expect(results.map(({ durationMs }) => durationMs > 0)).toEqual(results.map(() => true));
  });

  test.each(["policy", "config"])("what is written down of %s holds", async (name) => {
    const one = casesIn(new URL("run/", import.meta.url).href).find((each) => each.name === name);
    const file = read(only(one?.documents ?? []));
    const outcomes = new Map((await runCases(file, subjectOf(name), { policies })).map(({ name: of, outcome }) => [of, outcome]));
    const written = { ...file, cases: file.cases.map((each) => ({ ...each, expect: outcomes.get(each.name) })) };
    const results = await runCases(written, subjectOf(name), { policies });
    expect(results.flatMap(({ differences }) => differences.filter(({ path }) => path.startsWith("expect")))).toEqual([]);
  });

  test("only the chosen ones", async () => {
    const [document] = casesIn(new URL("run/", import.meta.url).href).flatMap(({ documents }) => documents);
    const options = { policies, chosen: ({ name }: { readonly name: string }) => name === "a condition" };
    const results = await runCases(read(only(document === undefined ? [] : [document])), subjectOf("config"), options);
    expect(results.map(({ name }) => name)).toEqual(["a condition"]);
  });

  function subjectOf(name: string): CaseSubject {
    const subject = subjects[name];
    if (subject === undefined) throw new Error(`no subject for ${name}`);
    return subject;
  }
});

function only(documents: readonly SourceDocument[]): SourceDocument {
  const [document] = documents;
  if (document === undefined || documents.length > 1) throw new Error("one document");
  return document;
}

function read(document: SourceDocument): CaseFile {
  const parsed = parseCases(document, schemas);
  if ("problems" in parsed) throw new Error(formatProblems(parsed.problems));
  return parsed.file;
}

interface ProbeParameters {
  readonly set?: Readonly<Record<string, string>>;
  readonly reply?: number;
  readonly throw?: string;
  readonly calls?: readonly string[];
}

/** Does what its parameters say, and writes down what it sees of the world. */
function probe(): PolicyRelease {
  const manifest = `
name: probe
version: 1.0.0
summary: Probes.
sdk: 1
metadata:
  reads: []
  writes:
    seen: { type: object, additionalProperties: true }
    calls: { type: array, items: { type: string } }
parameters:
  type: object
  additionalProperties: false
  properties:
    set: { description: Sets., type: object, propertyNames: { minLength: 1 }, additionalProperties: { type: string } }
    reply: { description: Replies., type: integer, maximum: 599 }
    throw: { description: Throws., type: string }
    calls: { description: Calls., type: array, items: { type: string } }
`;
  return release(manifest, {
    create: (parameters: ProbeParameters, context) => ({
      request: async (exchange) => {
        const { set = {}, reply, calls = [] } = parameters;
        for (const [name, value] of Object.entries(set)) exchange.request.headers.set(name, value);
        if (parameters.throw !== undefined) throw new Error(parameters.throw);
        const [now, random, next, last] = [context.now(), context.random(), context.random(), context.random()];
        exchange.metadata.set({ name: "seen" }, { now, random, next, last });
        const answers: string[] = [];
        for (const call of calls) {
          const [method = "", key = "", url = ""] = call.split(" ");
          const answer = await context.fetch(key, url, { method }).then(
            async (response) => `${response.status} ${await response.text()} ${response.headers.get("x-h")}`,
            (error: unknown) => (error instanceof Error ? error.message : String(error)),
          );
          answers.push(answer);
        }
        if (calls.length > 0) exchange.metadata.set({ name: "calls" }, answers);
        if (reply !== undefined) return { status: reply, code: "replied", headers: { "x-why": "because" }, body: "no" };
      },
      response: () => {},
    }),
  });
}

function setter(): PolicyRelease {
  const manifest = `
name: set
version: 1.0.0
summary: Sets a header.
sdk: 1
parameters:
  type: object
  additionalProperties: false
  required: [name, value]
  properties: { name: { description: Its name., type: string }, value: { description: Its value., type: string } }
`;
  return release(manifest, {
    create: ({ name, value }: { readonly name: string; readonly value: string }) => ({
      request: (exchange) => exchange.request.headers.set(name, value),
    }),
  });
}

function release(manifestText: string, definition: PolicyRelease["definition"]): PolicyRelease {
  const parsed = parseManifest({ uri: "policy.yaml", text: manifestText }, schemas);
  if ("problems" in parsed) throw new Error(formatProblems(parsed.problems));
  return { manifest: parsed.manifest, definition, source: "test", hash: "" };
}
