import { describe, expect, test } from "vitest";
import { compileExpression } from "../../src/expressions/cel.ts";
import { faults } from "./faults.ts";
import { compiled, engine, problemsOf, scope } from "./fixture.ts";

describe("problems", () => {
  test.each(faults)("$text", ({ text, result, problems }) => {
    const found = problemsOf(text, result);
    expect(found.map(({ code, start, end, remedy }) => [code, start, end, remedy])).toEqual(problems);
  });

  test("every message names what is wrong in one line", () => {
    for (const { text, result } of faults) {
      for (const { message } of problemsOf(text, result)) expect(message).toMatch(/^.{8,200}$/);
    }
  });

  test("the remedy for something that may be missing is itself free of problems", () => {
    const remedies = faults.flatMap(({ text, result }) =>
      problemsOf(text, result).flatMap(({ code, remedy }) =>
        code === "may-be-missing" ? (/^write `([^`]+\))`$/.exec(remedy)?.[1] ?? []) : [],
      ),
    );
    const inScope = remedies.filter((remedy) => !remedy.startsWith("u."));
    expect(inScope.length).toBeGreaterThan(15);
    for (const remedy of inScope) expect(problemsOf(`[${remedy}] == []`), remedy).toEqual([]);
  });

  test("a field that exists elsewhere keeps its reason as the message", () => {
    expect(problemsOf("request.body == 1")).toMatchObject([{ code: "unavailable", message: "bodies are not read here" }]);
  });
});

describe("bounds", () => {
  const cases: readonly (readonly [name: string, text: string])[] = [
    ["the text", `request.path == "${"a".repeat(8_192)}"`],
    ["nodes", Array.from({ length: 1_001 }, () => "true").join("||")],
    ["parentheses", `${"(".repeat(70)}true${")".repeat(70)}`],
    ["a row of negations", `${"!".repeat(200)}true`],
    ["a row of additions", `${Array.from({ length: 200 }, () => "1").join("+")} == 1`],
    ["arguments", "size(1, 2, 3, 4, 5, 6, 7, 8, 9) == 1"],
    ["patterns", Array.from({ length: 17 }, () => 'request.path.matches("a")').join("||")],
    ["nested loops over literals", loops(["[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"], 6)],
    ["a loop over a list in a loop over headers", "request.headers.all(a, metadata.?ports.orValue([]).all(b, true))"],
    ["searching in a loop", "request.headers.all(a, a in metadata.auth.?scopes.orValue([]))"],
    ["a loop over what a loop made", "request.headers.map(a, a).filter(b, true).all(c, request.headers.exists(d, true))"],
  ];

  test.each(cases)("%s", (_name, text) => {
    expect(problemsOf(text).map(({ code }) => code)).toEqual(["cost"]);
  });

  test.each([
    ["one loop after the other", "request.headers.map(a, a).filter(b, true).all(c, true) && request.headers.all(d, true)"],
    ["literal lists inside each other", loops(["[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"], 4)],
    ["a literal list in a loop over headers", 'request.headers.exists(a, ["x-", "y-"].exists(b, a.startsWith(b)))'],
    ["a hundred alternatives", Array.from({ length: 100 }, (_, index) => `request.path == "/${index}"`).join(" || ")],
  ])("%s may be", (_name, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  test("at most fifty problems are told", () => {
    expect(problemsOf(Array.from({ length: 200 }, (_, index) => `v${index}`).join("||"))).toHaveLength(50);
  });

  function loops(lists: readonly string[], depth: number): string {
    return depth === 0 ? "true" : `${lists[depth % lists.length]}.all(x${depth}, ${loops(lists, depth - 1)})`;
  }
});

describe("what is read", () => {
  test.each([
    ["true", []],
    ['request.path == "/"', ["request.path"]],
    ['request.headers[?"x-tier"].orValue("") == "1" && request.headers.exists(n, n == "a")', ["request.headers.x-tier", "request.headers"]],
    ['request.headers[?request.path].orValue("") == "1"', ["request.path", "request.headers"]],
    ['"tier" in route.metadata || has(route.metadata.plan)', ["route.metadata.tier", "route.metadata.plan"]],
    ['route.metadata[?"tier"].orValue("") == "a"', ["route.metadata.tier"]],
    [
      "has(metadata.auth.scopes) && metadata.auth.subject == request.path",
      ["metadata.auth.scopes", "metadata.auth.subject", "request.path"],
    ],
    ['metadata.auth.?claims[?"a"].?b[?0].orValue(1) == 1', ["metadata.auth.claims.a.b"]],
    ['metadata["rate-limit"].hit', ["metadata.rate-limit.hit"]],
    [
      'metadata.auth.?scopes.orValue([]).exists(s, s == response.headers[?"a"].orValue(""))',
      ["metadata.auth.scopes", "response.headers.a"],
    ],
    ["request.path == request.path", ["request.path"]],
  ])("%s", (text, reads) => {
    expect(new Set(compiled(text).reads)).toEqual(new Set(reads));
    expect(compiled(text).reads).toHaveLength(reads.length);
  });
});

test("an expression knows its text and its result, and may be frozen", () => {
  const expression = compiled('request.path + "!"', "string");
  expect(expression).toMatchObject({ text: 'request.path + "!"', result: "string" });
  expect(Object.freeze(expression).run({ request: { path: "a" } })).toBe("a!");
});

test("the type of an expression follows from the result asked for", () => {
  const compilation = compileExpression("true", scope, "bool", engine);
  if (!("expression" in compilation)) throw new Error("it has no problems");
  const result: boolean = compilation.expression.run({});
  expect(result).toBe(true);
});
