import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileExpression } from "../../src/expressions/cel.ts";
import type { Scope } from "../../src/expressions/expression.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";

const { engine } = loadPatternEngine();
const scope: Scope = {
  a: { type: { kind: "bool" } },
  b: { type: { kind: "bool" } },
  n: { type: { kind: "int" } },
  list: { type: { kind: "list", of: { kind: "int" } } },
  headers: { type: { kind: "map", of: { kind: "string" }, lowerCaseKeys: true } },
};

function explained(text: string, variables: object): string[] {
  const compiled = compileExpression(text, scope, "bool", engine);
  if ("problems" in compiled) throw new Error(JSON.stringify(compiled.problems));
  const { result, parts } = compiled.expression.explain(variables);
  return [...parts.map(({ text: part, result: value }) => `${part} = ${shown(value)}`), `= ${shown(result)}`];
}

const shown = (result: { readonly value: unknown } | { readonly failure: string }): string =>
  "value" in result ? String(result.value) : `failed: ${result.failure}`;

describe("the value of each part", () => {
  test("of what was evaluated, and nothing of what was not", () => {
    expect(explained("a || b", { a: true, b: false })).toEqual(["a = true", "a || b = true", "= true"]);
    expect(explained("a && n > 1", { a: true, n: 1 })).toEqual(["a = true", "n = 1", "n > 1 = false", "a && n > 1 = false", "= false"]);
  });

  test("nothing is undefined", () => {
    expect(explained('headers[?"x"].orValue("no") == "no"', { headers: new Map() })).toEqual([
      'headers[?"x"] = undefined',
      'headers[?"x"].orValue("no") = no',
      'headers[?"x"].orValue("no") == "no" = true',
      "= true",
    ]);
  });

  test("a failure names the part and no value", () => {
    const parts = explained("1 / n > 0 || b", { n: 0, b: false });
    expect(parts[1]).toMatch(/^1 \/ n = failed: .*`1 \/ n`$/);
    expect(parts.at(-1)).toMatch(/^= failed: /);
  });

  test("a loop is one part", () => {
    expect(explained("list.all(x, x > 0)", { list: [1, 2, 3] })).toEqual(["list = 1,2,3", "list.all(x, x > 0) = true", "= true"]);
  });

  test("the result is always that of run", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: -2, max: 2 }),
        fc.constantFrom("a || 1 / n > 0", "!(a && b)", "a ? n > 0 : 2 % n == 0"),
        (a, b, n, text) => {
          const compiled = compileExpression(text, scope, "bool", engine);
          if ("problems" in compiled) throw new Error(text);
          const { expression } = compiled;
          const ran = (): string => {
            try {
              return String(expression.run({ a, b, n }));
            } catch (error) {
              return `failed: ${error instanceof Error ? error.message : ""}`;
            }
          };
          expect(shown(expression.explain({ a, b, n }).result)).toBe(ran());
          expect(shown(expression.explain({ a, b, n }).result)).toBe(ran());
        },
      ),
      { seed: 4, numRuns: 100 },
    );
  });
});
