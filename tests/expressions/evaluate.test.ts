import type { Exchange } from "@envoy-policy-engine/sdk";
import { describe, expect, test } from "vitest";
import { ExpressionError, expressionVariables, type Scope } from "../../src/expressions/expression.ts";
import { quickestMs } from "../support/quickest.ts";
import { compiled, scope, variables } from "./fixture.ts";
import { results } from "./results.ts";

test.each(results)("%s", (text, result) => {
  expect(compiled(text, typeof result === "boolean" ? "bool" : "string").run(variables)).toBe(result);
});

test("one expression evaluates again and again", () => {
  const expression = compiled("response.status > 499 && metadata.auth.?scopes.orValue([]).exists(s, s == request.method)");
  const run = (status: number, scopes: readonly string[] | undefined) =>
    expression.run({ response: { status }, metadata: { auth: { scopes } }, request: { method: "GET" } });
  expect([run(500, ["GET"]), run(200, ["GET"]), run(500, []), run(500, undefined), run(599, ["PUT", "GET"])]).toEqual([
    true,
    false,
    false,
    false,
    true,
  ]);
});

describe("failures name the part and never a value", () => {
  const secret = "s3cr3t-value";
  const values = {
    request: {
      method: secret,
      path: secret,
      headers: new Map<string, unknown>([
        ["x-number", 5],
        ["x-text", secret],
      ]),
      json: { text: secret, list: [secret], number: 1 },
    },
    source: { address: undefined, port: 1.5 },
    response: { status: secret },
    metadata: { auth: { subject: Promise.resolve(secret), scopes: secret }, ports: [80, "a"] },
  };

  test.each([
    ["1 / 0 == 1", "division by zero at `1 / 0`"],
    ["1 % 0 == 1", "division by zero at `1 % 0`"],
    ["9223372036854775807 + 1 > 0", "the number does not fit into 64 bits at `9223372036854775807 + 1`"],
    ["int(request.path) == 1", "the text is no int at `int(request.path)`"],
    ["double(request.path) == 1.0", "the text is no double at `double(request.path)`"],
    ["bool(request.path)", "the text is no bool at `bool(request.path)`"],
    ["int(1e30) == 1", undefined],
    ["timestamp(request.path) == request.time", "no timestamp such as `2026-01-31T12:00:00Z` at `timestamp(request.path)`"],
    ['duration(request.path) == duration("1s")', "not a duration such as `1h30m` or `250ms` at `duration(request.path)`"],
    ['request.path.substring(99) == "a"', "the position is outside of the text at `request.path.substring(99)`"],
    ['request.path.substring(2, 1) == "a"', "the end is before the start at `request.path.substring(2, 1)`"],
    ['request.json.?text.orValue("") + 1 == 2', '`+` does not take string and int at `request.json.?text.orValue("") + 1`'],
    ["request.json.?number.orValue(0) + 1 == 2", "`+` does not take double and int at `request.json.?number.orValue(0) + 1`"],
    ["request.json.?text.orValue(1) > 5", "`>` does not take string and int at `request.json.?text.orValue(1) > 5`"],
    ["request.json.?text.orValue(true) && true", "the value is no bool at `request.json.?text.orValue(true)`"],
    ["!request.json.?text.orValue(true)", "the value is no bool at `request.json.?text.orValue(true)`"],
    ["-request.json.?text.orValue(1) == 1", "`-` does not take string at `-request.json.?text.orValue(1)`"],
    ['request.json.?number.orValue("").matches("a")', 'the value is no string at `request.json.?number.orValue("").matches("a")`'],
    ["request.json.?number.orValue([]).exists(x, true)", "not a list or map at `request.json.?number.orValue([]).exists(x, true)`"],
    ["1 in request.json.?text.orValue([])", "the key is no string at `1 in request.json.?text.orValue([])`"],
    ['source.address == "a"', "nothing is there at `source.address`"],
    ["source.port == 1", "the value is no int at `source.port`"],
    ["response.status == 200", "the value is no int at `response.status`"],
    ['metadata.auth.subject == "a"', "the value is no string at `metadata.auth.subject`"],
    ['metadata.auth.?scopes.orValue([]).exists(s, s == "a")', "the value is no list at `metadata.auth.?scopes`"],
    ["metadata.?ports.orValue([]).exists(p, p > 90)", "the value is no int at `metadata.?ports.orValue([]).exists(p, p > 90)`"],
    ['request.headers[?"x-number"].orValue("") == "5"', 'the value is no string at `request.headers[?"x-number"]`'],
    ["request.time == timestamp(0)", "nothing is there at `request.time`"],
    ['route.name == "a"', "nothing is there at `route.name`"],
  ])("%s", (text, message) => {
    if (message === undefined) {
      expect(() => compiled(text)).toThrow("the number does not fit into 64 bits");
      return;
    }
    const failure = failureOf(() => compiled(text).run(values));
    expect(failure).toBeInstanceOf(ExpressionError);
    expect(failure.message).toBe(message);
    expect(`${failure.message} ${failure.stack}`).not.toContain(secret);
  });

  test("what a getter throws is the cause, not the message", () => {
    const cause = new Error(secret);
    const failure = failureOf(() =>
      compiled('request.path == "a"').run({
        get request() {
          throw cause;
        },
      }),
    );
    expect(failure).toBeInstanceOf(ExpressionError);
    expect(failure.message).toBe("reading a value failed at `request.path`");
    expect(failure.cause).toBe(cause);
  });

  test("an ExpressionError of a getter passes as it is", () => {
    const own = new ExpressionError("Envoy did not send `source.port`");
    const source = {
      get port() {
        throw own;
      },
    };
    expect(failureOf(() => compiled("source.port == 1").run({ source }))).toBe(own);
  });
});

describe("bounds at run time", () => {
  const many = Array.from({ length: 1_001 }, (_, index) => `s${index}`);
  const enough = many.slice(1);

  test.each([
    ["a loop", 'metadata.auth.?scopes.orValue([]).exists(s, s == "none")'],
    ["a loop over JSON", 'request.json.?list.orValue([]).all(s, s != "none")'],
    ["a search", '"none" in metadata.auth.?scopes.orValue([])'],
    ["a comparison", "metadata.auth.?scopes.orValue([]) == request.json.?same.orValue([])"],
    ["a join", 'metadata.auth.?scopes.orValue([]).join() == "none"'],
    ["the keys of a map", 'request.headers.all(name, name != "none")'],
    ["a split", 'request.path.split(",").size() == 1'],
    ["adding lists", "size(metadata.auth.?scopes.orValue([]) + []) == 1"],
  ])("%s sees 1,000 elements and fails at one more", (_name, text) => {
    const run = (list: readonly string[]) =>
      compiled(text).run({
        request: { path: list.join(","), headers: new Map(list.map((name) => [name, ""])), json: { list, same: [...list] } },
        metadata: { auth: { scopes: list } },
      });
    expect(typeof run(enough)).toBe("boolean");
    expect(() => run(many)).toThrow("the list has more than 1000 elements");
  });

  test.each([
    ["doubling", 'string([request.path].map(a, a + a).map(a, a + a).map(a, a + a)[?0].orValue("")) == "a"'],
    ["joining", '[request.path, request.path].join(request.path).split(",").join(request.path + request.path) == "a"'],
  ])("text does not grow without end by %s", (_name, text) => {
    expect(typeof compiled(text).run({ request: { path: "a,b" } })).toBe("boolean");
    expect(() => compiled(text).run({ request: { path: "a,".repeat(20_000) } })).toThrow(ExpressionError);
  });

  test("a pattern that blocks a native RegExp for minutes takes no time", () => {
    const expression = compiled('request.path.matches("^(a+)+$")');
    const run = (): boolean | string => expression.run({ request: { path: `${"a".repeat(60_000)}!` } });
    expect(run()).toBe(false);
    expect(quickestMs(run, 500)).toBeLessThan(500);
  });
});

describe("only what is read is touched", () => {
  class Refusing {
    readonly touched: string[] = [];
    get path(): string {
      this.touched.push("path");
      return "/";
    }
    get headers(): never {
      throw new Error("headers were read");
    }
    get json(): never {
      throw new Error("json was read");
    }
  }

  test("other fields and variables are not", () => {
    const request = new Refusing();
    const result = compiled('request.path == "/" || request.headers[?"a"].orValue("") == "" || response.status == 1').run({
      request,
      get response() {
        throw new Error("response was read");
      },
    });
    expect(result).toBe(true);
    expect(request.touched).toEqual(["path"]);
  });

  test("a branch that is not taken is not", () => {
    expect(compiled("true ? request.path : string(request.json.?a.orValue(1))", "string").run({ request: new Refusing() })).toBe("/");
  });
});

describe("prototypes do not leak", () => {
  const open: Scope = { value: { type: { kind: "dyn" } }, map: { type: { kind: "map", of: { kind: "dyn" } } } };
  const names = ["constructor", "__proto__", "prototype", "toString", "valueOf", "hasOwnProperty", "size", "get"];

  test.each(names)("%s", (name) => {
    for (const root of ["value", "map"]) {
      for (const value of [{}, new Map(), { a: 1 }]) {
        const values = { value, map: value };
        expect(compiled(`has(${root}.${name}) || ${root}[?"${name}"].hasValue() || "${name}" in ${root}`, "bool", open).run(values)).toBe(
          false,
        );
      }
    }
    for (const value of ["text", 5, true, null, [1], new Date(0)]) {
      expect(compiled(`value[?"${name}"].hasValue()`, "bool", open).run({ value })).toBe(false);
    }
  });

  test("what is no data is refused", () => {
    for (const value of [() => 1, Symbol("a"), new (class Own {})(), Promise.resolve(1), new Set([1]), new Uint8Array(1)]) {
      expect(() => compiled("value == 1", "bool", open).run({ value })).toThrow("a value of a kind that expressions do not know");
    }
  });
});

describe("evaluating with an exchange", () => {
  test("takes the variables that the worker's exchange carries", () => {
    const exchange = exchangeWith({ [expressionVariables]: variables });
    expect(compiled("response.status == 503").evaluate(exchange)).toBe(true);
  });

  test("another object is refused", () => {
    expect(() => compiled("true").evaluate(exchangeWith({}))).toThrow(ExpressionError);
  });

  function exchangeWith(more: object): Exchange<unknown> {
    const base: Exchange<unknown> = {
      id: "1",
      route: { name: "", chain: "" },
      source: { address: undefined, port: undefined },
      metadata: { get: () => undefined, set: () => undefined },
      state: undefined,
      signal: new AbortController().signal,
    };
    return Object.assign(base, more);
  }
});

test("records and variables may be Maps", () => {
  const values = new Map([["request", new Map([["path", "/"]])]]);
  expect(compiled('request.path == "/"').run(values)).toBe(true);
});

test("ints may be plain numbers or bigints, and stay exact", () => {
  const big: Scope = { n: { type: { kind: "int" } }, d: { type: { kind: "double" } }, ...scope };
  expect(compiled("n + 1 == 9007199254740994", "bool", big).run({ n: 9_007_199_254_740_993n })).toBe(true);
  expect(compiled("n == 5 && d == 2.0 && d + 0.5 == 2.5", "bool", big).run({ n: 5, d: 2n })).toBe(true);
  expect(() => compiled("n == 5", "bool", big).run({ n: 2 ** 53 })).toThrow("the value is no int");
});

function failureOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail");
}
