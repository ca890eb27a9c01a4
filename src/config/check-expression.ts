/** Expressions and patterns at their places in a document. */
import { type ErrorCode, type Position, type Problem, problem } from "../errors.ts";
import { compileExpression } from "../expressions/cel.ts";
import type { Compilation, CompiledExpression, ExpressionProblem, ResultType, Scope } from "../expressions/expression.ts";
import type { PatternEngine } from "../expressions/patterns.ts";
import type { Report } from "./read.ts";

/** A text and where its characters stand. */
export interface SourceText {
  readonly text: string;
  readonly path: string;
  readonly positionOf: (offset: number) => Position;
}

export interface ExpressionContext {
  readonly scope: Scope;
  readonly patterns: PatternEngine;
}

/** Compiles a condition in the scope of its step; undefined when it has problems, which are reported. */
export function checkCondition(source: SourceText, context: ExpressionContext, report: Report): CompiledExpression<boolean> | undefined {
  return settle(compileExpression(source.text, context.scope, "bool", context.patterns), source, report);
}

/** Compiles an expression of a parameter, like {@link checkCondition}. */
export function checkExpression(
  source: SourceText,
  result: ResultType,
  context: ExpressionContext,
  report: Report,
): CompiledExpression | undefined {
  return settle(compileExpression(source.text, context.scope, result, context.patterns), source, report);
}

function settle<Value extends boolean | string>(
  compilation: Compilation<Value>,
  source: SourceText,
  report: Report,
): CompiledExpression<Value> | undefined {
  if ("expression" in compilation) return compilation.expression;
  for (const found of compilation.problems) {
    // Only the metadata of a step whose policy is not known is held back, and that step has been reported.
    if (found.code === "unavailable") continue;
    report(expressionProblem(found.code, found, { position: source.positionOf(found.start), path: source.path }));
  }
  return undefined;
}

function expressionProblem(
  code: Exclude<ExpressionProblem["code"], "unavailable">,
  found: ExpressionProblem,
  where: Pick<Problem, "position" | "path">,
): Problem {
  return problem(`expression-${code}` satisfies ErrorCode, where, { message: found.message, remedy: found.remedy });
}
