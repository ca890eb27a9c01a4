/**
 * The two small interfaces behind which CEL and RE2 live. Nothing else of ours knows which libraries do the work.
 */
import type { Expression } from "@envoy-policy-engine/sdk";

/** The type of a variable or of one of its parts. Passed in by whoever compiles: this folder does not know what a request is. */
export type ValueType =
  | { readonly kind: "string" | "int" | "double" | "bool" | "timestamp" | "dyn" }
  | { readonly kind: "list"; readonly of: ValueType }
  /** A map whose keys are only known at run time: a plain index may be missing. `lowerCaseKeys`: an upper-case literal key is an error. */
  | { readonly kind: "map"; readonly of: ValueType; readonly lowerCaseKeys?: boolean; readonly constantKeysOnly?: boolean }
  | { readonly kind: "record"; readonly fields: Readonly<Record<string, Field>> };

export interface Field {
  readonly type: ValueType;
  /** The field may be missing at run time: selecting it plainly is an error with a remedy. */
  readonly optional?: boolean;
  /** Why the field cannot be used here, when it exists but not in this place (`response` on the request side). */
  readonly unavailable?: string;
}

/** The variables an expression may use: root names and their types. */
export type Scope = Readonly<Record<string, Field>>;

export type ResultType = "bool" | "string";

/** A fault in an expression. Offsets count UTF-16 units from the start of the expression's text. */
export interface ExpressionProblem {
  readonly code:
    | "syntax"
    | "type"
    | "unknown-name"
    | "may-be-missing"
    | "upper-case-key"
    | "unavailable"
    | "cost"
    | "pattern"
    | "result-type";
  readonly message: string;
  readonly remedy: string;
  readonly start: number;
  readonly end: number;
}

/** A compiled expression, as the engine sees it; policies see the SDK's `Expression`. */
export interface CompiledExpression<Value extends boolean | string = boolean | string> extends Expression<Value> {
  readonly result: ResultType;
  /** Every path of variables it reads, such as `request.headers` or `metadata.auth.subject`; constant map keys are included as `route.metadata.tier`. */
  readonly reads: readonly string[];
  /** Evaluates against root values by name (plain objects, Maps, getters). Throws an `ExpressionError`. */
  run(variables: Variables): Value;
  /** The same with the value of each part that was evaluated. Slow: the expression is compiled once more when this is first called. Never throws. */
  explain(variables: Variables): Evaluation<Value>;
}

/** One evaluation, part by part. */
export interface Evaluation<Value extends boolean | string = boolean | string> {
  readonly result: { readonly value: Value } | { readonly failure: string };
  /** In the order in which they came to their end, at most 64. Literals, and what is inside of a loop, are left out. */
  readonly parts: readonly EvaluatedPart[];
}

export interface EvaluatedPart {
  /** As it is written. */
  readonly text: string;
  /** The variables that it reads, as {@link CompiledExpression.reads}. */
  readonly reads: readonly string[];
  /** `value` undefined: nothing is there. */
  readonly result: { readonly value: unknown } | { readonly failure: string };
}

/** Root name to value. Values may be getters: only what an expression reads is computed. */
export type Variables = object;

/** Where an SDK exchange keeps the variables that expressions read. The worker's exchange objects have it. */
export const expressionVariables: unique symbol = Symbol("expression variables");

export type Compilation<Value extends boolean | string> =
  | { readonly expression: CompiledExpression<Value> }
  | { readonly problems: readonly ExpressionProblem[] };

/** A condition or value that failed at run time. The message names the expression's part, never the values. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
}
