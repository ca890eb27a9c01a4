/** A scope with every kind of type, and values that fit it. */

import { compileExpression } from "../../src/expressions/cel.ts";
import type { CompiledExpression, ExpressionProblem, ResultType, Scope, ValueType } from "../../src/expressions/expression.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";

export const { engine } = loadPatternEngine();

const string: ValueType = { kind: "string" };
const headers: ValueType = { kind: "map", of: string, lowerCaseKeys: true };

export const scope: Scope = {
  request: record({
    method: { type: string },
    path: { type: string },
    headers: { type: headers },
    time: { type: { kind: "timestamp" } },
    json: { type: { kind: "dyn" } },
    body: { type: { kind: "dyn" }, unavailable: "bodies are not read here" },
  }),
  source: record({ address: { type: string }, port: { type: { kind: "int" } } }),
  route: record({ name: { type: string }, metadata: { type: { kind: "map", of: string, constantKeysOnly: true } } }),
  metadata: record({
    auth: record({
      method: { type: string },
      subject: { type: string },
      scopes: { type: { kind: "list", of: string }, optional: true },
      claims: { type: { kind: "map", of: { kind: "dyn" } }, optional: true },
    }),
    quota: { ...record({ left: { type: { kind: "int" } }, share: { type: { kind: "double" }, optional: true } }), optional: true },
    "rate-limit": record({ hit: { type: { kind: "bool" } } }),
    constructor: { type: string, optional: true },
    ports: { type: { kind: "list", of: { kind: "int" } }, optional: true },
    users: {
      type: { kind: "list", of: record({ name: { type: string }, age: { type: { kind: "int" }, optional: true } }).type },
      optional: true,
    },
  }),
  response: record({ status: { type: { kind: "int" } }, headers: { type: headers } }),
};

function record(fields: (ValueType & { readonly kind: "record" })["fields"]): { readonly type: ValueType } {
  return { type: { kind: "record", fields } };
}

/** As the engine hands them over: getters of a class, plain numbers, a Map of its own. */
export const variables = {
  request: new (class {
    get method(): string {
      return "GET";
    }
    get path(): string {
      return "/api/users/42";
    }
    get headers(): Map<string, string> {
      return new LazyHeaders();
    }
    get time(): Date {
      return new Date("2026-03-29T01:30:00.250Z");
    }
    get json(): unknown {
      return { name: "anna", level: 3, ratio: 0.5, tags: ["a", "b"], nothing: null, deep: { list: [{ id: 7 }] }, yes: true };
    }
  })(),
  source: { address: "192.0.2.7", port: 443 },
  route: { name: "users", metadata: { tier: "gold" } },
  metadata: {
    auth: {
      method: "jwt",
      subject: "anna",
      scopes: ["read", "write"],
      claims: { "https://example.com/role": "admin", level: 9, list: [1, 2] },
    },
    "rate-limit": { hit: false },
    ports: [80, 443],
    users: [{ name: "anna", age: 41 }, { name: "ben" }],
  },
  response: { status: 503, headers: new Map([["retry-after", "5"]]) },
};

class LazyHeaders extends Map<string, string> {
  readonly #values: Readonly<Record<string, string>> = { "x-tier": "gold", "x-debug": "1", accept: "text/html, */*;q=0.8", "x-empty": "" };

  override get(name: string): string | undefined {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  override has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  override get size(): number {
    return Object.keys(this.#values).length;
  }

  override keys(): MapIterator<string> {
    return Object.keys(this.#values).values();
  }
}

export function problemsOf(text: string, result: ResultType = "bool"): readonly ExpressionProblem[] {
  const compilation = compileExpression(text, scope, result, engine);
  return "problems" in compilation ? compilation.problems : [];
}

/** The compiled expression; throws with its problems when it has any. */
export function compiled(text: string, result: ResultType = "bool", variablesScope: Scope = scope): CompiledExpression {
  const compilation = compileExpression(text, variablesScope, result, engine);
  if ("expression" in compilation) return compilation.expression;
  throw new Error(compilation.problems.map(({ code, message }) => `${code}: ${message}`).join("\n"));
}
