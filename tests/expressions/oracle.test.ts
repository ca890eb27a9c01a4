import { Environment } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileExpression } from "../../src/expressions/cel.ts";
import { faults } from "./faults.ts";
import { compiled, engine, scope, variables } from "./fixture.ts";
import { expressions, oracleValues, outcomeOf } from "./oracle.ts";
import { results } from "./results.ts";

/** cel-js with its own types: what it takes differs from ours in what may be missing and in cost, never in types. */
const celJs = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  .registerVariable("request", {
    schema: {
      method: "string",
      path: "string",
      headers: "map<string, string>",
      time: "google.protobuf.Timestamp",
      json: "dyn",
      body: "dyn",
    },
  })
  .registerVariable("source", { schema: { address: "string", port: "int" } })
  .registerVariable("route", { schema: { name: "string", metadata: "map<string, string>" } })
  .registerType("User", { fields: { name: "string", age: "int" } })
  .registerVariable("metadata", {
    schema: {
      auth: { method: "string", subject: "string", scopes: "list<string>", claims: "map<string, dyn>" },
      quota: { left: "int", share: "double" },
      "rate-limit": { hit: "bool" },
      constructor: "string",
      ports: "list<int>",
      users: "list<User>",
    },
  })
  .registerVariable("response", { schema: { status: "int", headers: "map<string, string>" } });

/** The values of `fixture.ts` as cel-js wants them: plain objects and bigints. */
const plain = {
  request: {
    method: variables.request.method,
    path: variables.request.path,
    headers: new Map([...variables.request.headers.keys()].map((name) => [name, variables.request.headers.get(name)])),
    time: variables.request.time,
    json: variables.request.json,
  },
  source: { ...variables.source, port: BigInt(variables.source.port) },
  route: variables.route,
  metadata: { ...variables.metadata, ports: [80n, 443n], users: [{ name: "anna", age: 41n }, { name: "ben" }] },
  response: { ...variables.response, status: 503n },
};

/** Where cel-js is not what is asked of us. */
const departures: readonly string[] = [
  // It sees what every object inherits.
  "has(metadata.constructor)",
  // Its patterns are JavaScript's.
  'request.path.matches("^/API") || request.path.matches("(?i)^/API")',
  // The specification: only ASCII letters change.
  '" AbC ".trim().lowerAscii() + "ß".upperAscii()',
];

describe("our results are those of cel-js", () => {
  test.each(results.filter(([text]) => !departures.includes(text)))("%s", (text, result) => {
    expect(celJs.evaluate(text, plain)).toBe(result);
    expect(celJs.check(text)).toMatchObject({ valid: true, type: typeof result === "boolean" ? "bool" : "string" });
  });
});

test("what cel-js finds wrong we find wrong", () => {
  for (const { text } of faults) {
    const theirs = celJs.check(text);
    if (!theirs.valid) expect("problems" in compileExpression(text, scope, "bool", engine), text).toBe(true);
  }
});

test("random expressions mean what JavaScript says, here and in cel-js", () => {
  const seen = { true: 0, false: 0, failed: 0 };
  fc.assert(
    fc.property(expressions, oracleValues, ({ text, value }, values) => {
      const { status, path, tier, scopes } = values;
      const headers = new Map(tier === undefined ? [] : [["x-tier", tier]]);
      const ours = compiled(text);
      const expected = outcomeOf(() => value(values));
      seen[`${expected}`]++;
      const outcome = outcomeOf(() => ours.run({ request: { path, headers }, response: { status }, metadata: { auth: { scopes } } }));
      expect(outcome, text).toBe(expected);
      const theirs = outcomeOf(() =>
        celJs.evaluate(text, { request: { path, headers }, response: { status: BigInt(status) }, metadata: { auth: { scopes } } }),
      );
      expect(theirs, `cel-js: ${text}`).toBe(expected);
    }),
    { seed: 3, numRuns: 2_000 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
});
