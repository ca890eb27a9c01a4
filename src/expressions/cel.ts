/**
 * Compiles expressions in CEL: text in, something that runs or every problem of it out.
 *
 * cel-js parses. Checking and evaluation are ours, on its tree. Its checker stops at the first mistake and knows neither values that may be
 * missing nor what a loop costs. Its evaluator cannot be given what is needed here: `matches` makes a new native RegExp for each call (to
 * replace it the tree must be printed, and the printer loses parentheses: `1 - (2 - 3)` becomes `1 - 2 - 3`), loops and growing texts have no
 * bound, values of classes are refused (a Map of one's own, objects with getters), an int must arrive as a bigint, and errors quote values.
 * The tests hold our results and types against cel-js's. Closures over the tree took 0.3 to 0.9 of its evaluator's time on typical conditions.
 */
import type { Exchange } from "@envoy-policy-engine/sdk";
import { expressionUnitsMax } from "./bounds.ts";
import { startWalk } from "./compiler.ts";
import {
  type Compilation,
  type CompiledExpression,
  type Evaluation,
  ExpressionError,
  type ExpressionProblem,
  expressionVariables,
  type ResultType,
  type Scope,
  type Variables,
} from "./expression.ts";
import { located, type Run } from "./part.ts";
import type { PatternEngine } from "./patterns.ts";
import { parseExpression } from "./syntax.ts";
import { nameOf, type Type } from "./types.ts";
import { resultOf, type Watched, watchedParts } from "./watched-parts.ts";

/**
 * Compiles an expression that must yield the result type, with the variables of the scope. Never throws because of the text: all problems
 * that can be told apart are returned, in the order of their positions (a syntax error is the only one).
 *
 * Values at run time: a string is a string; an int a bigint or an integral number; a double a number; a timestamp a Date; a list an array; a
 * record an object (own properties or getters of its class) or a Map; a map a Map, also of a derived class with its own `get`, `has`, `keys`
 * and `size`, or an object of which only own properties count. A dyn may be any of these, with plain objects only. `undefined` and an absent
 * property both mean missing. Only what an expression reads is touched.
 */
export function compileExpression(text: string, scope: Scope, result: "bool", patterns: PatternEngine): Compilation<boolean>;
export function compileExpression(text: string, scope: Scope, result: "string", patterns: PatternEngine): Compilation<string>;
export function compileExpression(text: string, scope: Scope, result: ResultType, patterns: PatternEngine): Compilation<boolean | string>;
export function compileExpression(text: string, scope: Scope, result: ResultType, patterns: PatternEngine): Compilation<boolean | string> {
  if (text.length > expressionUnitsMax) return { problems: [tooLong(text)] };
  const parsed = parseExpression(text);
  if ("problem" in parsed) return { problems: [parsed.problem] };
  const { root } = parsed;
  const { compiler, reads } = startWalk(text, scope, patterns);
  const { type, run } = compiler.part(root, { locals: new Map(), depth: 0, rounds: 1 });
  if (type.kind === "optional") compiler.required({ type, run }, root);
  else if (type.kind !== result && type.kind !== "unknown") {
    compiler.report("result-type", root, `the expression is ${nameOf(type)}, not ${result}`, resultRemedy(text.trim(), type, result));
  }
  if (compiler.problems.length > 0) return { problems: inOrder(compiler.problems) };
  const whole = located(compiler, root, run);
  const facts = { text, result, reads: [...reads] };
  const watched = (): Watched => watchedParts(text, root, scope, patterns);
  return { expression: result === "bool" ? expressionOf(facts, whole, watched, isBoolean) : expressionOf(facts, whole, watched, isString) };
}

function expressionOf<Value extends boolean | string>(
  facts: Pick<CompiledExpression, "text" | "result" | "reads">,
  whole: Run,
  watched: () => Watched,
  isResult: (value: unknown) => value is Value,
): CompiledExpression<Value> {
  const evaluate = (run: Run, variables: Variables): Value => {
    const value = run({ variables, locals: [] });
    if (isResult(value)) return value;
    throw new ExpressionError(`the result is no ${facts.result}`);
  };
  const run = (variables: Variables): Value => evaluate(whole, variables);
  let explained: Watched | undefined;
  const explain = (variables: Variables): Evaluation<Value> => {
    explained ??= watched();
    const { run: watchedRun, take } = explained;
    const result = resultOf(() => evaluate(watchedRun, variables));
    return { result, parts: take() };
  };
  return { ...facts, run, explain, evaluate: (exchange) => run(variablesOf(exchange)) };
}

function variablesOf(exchange: Exchange<never> | Exchange<unknown>): Variables {
  const variables: unknown = expressionVariables in exchange ? exchange[expressionVariables] : undefined;
  if (typeof variables === "object" && variables !== null) return variables;
  throw new ExpressionError("expressions are evaluated with the exchange that the handler was given, and this is another object");
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function resultRemedy(text: string, type: Type, result: ResultType): string {
  if (result === "bool") return type.kind === "string" ? `compare it, as in \`${text} == "..."\`` : "compare it with a value";
  switch (type.kind) {
    case "int":
    case "double":
    case "bool":
    case "dyn":
      return `write \`string(${text})\``;
    case "list":
      return `write \`${text}.join(",")\``;
    default:
      return "name a part of it that is a string";
  }
}

function tooLong(text: string): ExpressionProblem {
  const message = `the expression has more than ${expressionUnitsMax} characters`;
  return { code: "cost", message, remedy: "shorten it, or split it into several steps", start: 0, end: text.length };
}

function inOrder(problems: readonly ExpressionProblem[]): readonly ExpressionProblem[] {
  return problems.toSorted((one, other) => one.start - other.start || one.end - other.end);
}
