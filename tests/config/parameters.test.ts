import { describe, expect, test } from "vitest";
import { checkConfig } from "../../src/config/check.ts";
import type { CheckedStep } from "../../src/config/types.ts";
import { testEnvironment, testSchemas } from "./support.ts";

const environment = testEnvironment(testSchemas());

/** The steps of one chain with these steps, written as YAML. */
function stepsOf(steps: string, secrets = environment.secret): readonly CheckedStep[] {
  const text = `version: 1\nchains:\n  api:\n    steps: ${steps}\nroutes: { users: api }\n`;
  const checked = checkConfig([{ uri: "policies.yaml", text }], { ...environment, secret: secrets });
  if ("problems" in checked) throw new Error(checked.problems.map(({ message }) => message).join("; "));
  return checked.config.chains.get("api")?.steps ?? [];
}

function setHeader(change: string): string {
  return `[{ policy: set-header@1, parameters: { request: [{ name: x-a, ${change} }] } }]`;
}

/** A part of a step's parameters, or of any other value. */
function part(from: unknown, ...keys: readonly string[]): unknown {
  const start: unknown = typeof from === "object" && from !== null && "parameters" in from ? from.parameters : from;
  return keys.reduce((value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined), start);
}

function call(target: unknown, method: string, ...values: readonly unknown[]): unknown {
  const found = part(target, method);
  return typeof found === "function" ? Reflect.apply(found, target, values) : "no such method";
}

describe("parameters reach the policy", () => {
  test("with defaults, and as they were written", () => {
    const [step] = stepsOf("[{ policy: everything@1, parameters: { count: 3, labels: { team: a }, list: [x] } }]");
    expect(step?.parameters).toMatchObject({ level: "low", count: 3, labels: { team: "a" }, list: ["x"] });
  });

  test("without parameters written, defaults alone", () => {
    const [step] = stepsOf("[{ policy: gate@1 }]");
    expect(step?.parameters).toEqual({ key: "changeme" });
  });

  test.each([
    ["whole", '"${env:KEY}"', "hush-env-value"],
    ["inside a value, more than one", '"<${env:KEY}|${file:/run/secrets/key}>"', "<hush-env-value|hush-file-value>"],
    ["a file loses one trailing newline", '"${file:/run/secrets/key}"', "hush-file-value"],
    ["an escape is no reference", '"$${env:KEY} and $${"', "${env:KEY} and ${"],
    ["a dollar sign alone is text", '"$1 {x}"', "$1 {x}"],
  ])("secrets: %s", (_, written, expected) => {
    const [step] = stepsOf(setHeader(`set: ${written}`));
    expect(step?.parameters).toEqual({ request: [{ name: "x-a", set: expected }] });
  });

  test("a secret cannot add structure", () => {
    const secret = () => ({ value: '", injected: true }]\n- ${env:KEY}' });
    const [step] = stepsOf(setHeader('set: "${env:ANY}"'), secret);
    expect(step?.parameters).toEqual({ request: [{ name: "x-a", set: '", injected: true }]\n- ${env:KEY}' }] });
  });

  test("only one newline of a file is cut, and none of a variable", () => {
    const secret = () => ({ value: "a\n\n" });
    const [step] = stepsOf(setHeader('set: "${file:/f}${env:E}"'), secret);
    expect(step?.parameters).toEqual({ request: [{ name: "x-a", set: "a\na\n\n" }] });
  });

  test("expressions and patterns compiled, defaults too", () => {
    const [step] = stepsOf('[{ policy: everything@1, parameters: { match: "^/a", level: high } }]');
    const [match, only] = [part(step, "match"), part(step, "only")];
    expect(["/abc", "b/a"].map((subject) => call(match, "test", subject))).toEqual([true, false]);
    expect([part(only, "text"), call(only, "run", {})]).toEqual(["true", true]);
  });

  test("an expression keeps `$${` as it is written", () => {
    const [step] = stepsOf(setHeader(`setFrom: "'$\${x}'"`));
    expect(call(part(step, "request", "0", "setFrom"), "run", {})).toBe("$${x}");
  });

  test("frozen to the bottom", () => {
    const [step] = stepsOf(setHeader("set: a"));
    const parts = [part(step), part(step, "request"), part(step, "request", "0")];
    expect(parts.map((value) => Object.isFrozen(value))).toEqual([true, true, true]);
  });
});

describe("the hash of the parameters", () => {
  const hashOf = (steps: string, secret = environment.secret) => stepsOf(steps, secret)[0]?.parametersHash;

  test("stays when keys change places", () => {
    expect(hashOf("[{ policy: everything@1, parameters: { count: 3, on: true } }]")).toBe(
      hashOf("[{ policy: everything@1, parameters: { on: true, count: 3 } }]"),
    );
  });

  test("stays when a default is written out", () => {
    expect(hashOf("[{ policy: everything@1 }]")).toBe(hashOf('[{ policy: everything@1, parameters: { level: low, only: "true" } }]'));
  });

  test.each([
    ["a value", setHeader("set: a"), setHeader("set: b")],
    ["a type", "[{ policy: everything@1, parameters: { mixed: a } }]", "[{ policy: everything@1, parameters: { mixed: [a] } }]"],
    ["an expression", setHeader("setFrom: request.path"), setHeader("setFrom: request.host")],
    ["an expression that only looks escaped", setHeader(`setFrom: "'$\${'"`), setHeader(`setFrom: "'\${'"`)],
    ["an expression for a value", setHeader("set: request.path"), setHeader("setFrom: request.path")],
    ["a pattern", "[{ policy: everything@1, parameters: { match: a } }]", "[{ policy: everything@1, parameters: { match: b } }]"],
  ])("changes with %s", (_, one, other) => {
    expect(hashOf(one)).not.toBe(hashOf(other));
  });

  test("changes when a secret is rotated, and the chain's hash does not", () => {
    const steps = setHeader('set: "${env:KEY}"');
    const text = `version: 1\nchains:\n  api:\n    steps: ${steps}\nroutes: { users: api }\n`;
    const checkedWith = (value: string) => {
      const checked = checkConfig([{ uri: "p", text }], { ...environment, secret: () => ({ value }) });
      if ("problems" in checked) throw new Error("refused");
      return checked.config;
    };
    const [before, after] = [checkedWith("one"), checkedWith("two")];
    expect(before.chains.get("api")?.steps[0]?.parametersHash).not.toBe(after.chains.get("api")?.steps[0]?.parametersHash);
    expect(before.chains.get("api")?.hash).toBe(after.chains.get("api")?.hash);
    expect(before.hash).toBe(after.hash);
  });
});

test("thousands of names that are not there take seconds, not minutes", () => {
  const numbers = Array.from({ length: 3000 }, (_, index) => index);
  const chains = numbers.map((index) => `  chain${index}: { steps: [] }`).join("\n");
  const routes = numbers.map((index) => `  route${index}: chein${index}`).join("\n");
  const started = performance.now();
  const checked = checkConfig([{ uri: "p", text: `version: 1\nchains:\n${chains}\nroutes:\n${routes}\n` }], environment);
  expect("problems" in checked && checked.problems.length).toBe(3000);
  expect(performance.now() - started).toBeLessThan(8000);
});

test("a name that every object inherits is a name like any other", () => {
  const [step] = stepsOf("[{ policy: everything@1, parameters: { labels: { constructor: a, valueof: b } } }]");
  expect(step?.parameters).toMatchObject({ labels: { constructor: "a", valueof: "b" } });
});
