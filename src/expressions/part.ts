import type { Pattern } from "@envoy-policy-engine/sdk";
import type { ASTNode } from "@marcbachmann/cel-js";
import type { ExpressionProblem, Scope, Variables } from "./expression.ts";
import { failedAt } from "./fault.ts";
import type { Type } from "./types.ts";

export type Node = ASTNode;
export type CallNode = Extract<Node, { readonly op: "call" }>;
export type MethodNode = Extract<Node, { readonly op: "rcall" }>;

/** A compiled part of an expression. `run` yields undefined only where the type is optional: then nothing is there. */
export interface Part {
  readonly type: Type;
  readonly run: Run;
  /** Set where the value is written in the expression. */
  readonly literal?: { readonly value: unknown };
}

export type Run = (frame: Frame) => unknown;

/** One evaluation. */
export interface Frame {
  readonly variables: Variables;
  /** The values of the loops' variables, by {@link Local.slot}. */
  readonly locals: unknown[];
}

/** Where in the expression a part stands. */
export interface Place {
  readonly locals: ReadonlyMap<string, Local>;
  /** How many loops are around it. */
  readonly depth: number;
  /** How often it runs at most in one evaluation. */
  readonly rounds: number;
}

/** A loop's variable. */
export interface Local {
  readonly type: Type;
  readonly slot: number;
}

/** What the compilation of one expression shares. */
export interface Compiler {
  readonly text: string;
  readonly scope: Scope;
  /** Compiles the pattern of a `matches`; reports it when it is not valid. */
  pattern(source: string, range: Range): Pattern | undefined;
  readonly problems: readonly ExpressionProblem[];
  /** Compiles a part that may be optional. */
  part(node: Node, place: Place): Part;
  /** Compiles a part that must be there: {@link Compiler.required} of {@link Compiler.part}. */
  value(node: Node, place: Place): Part;
  /** Reports an optional part where a value is needed. */
  required(part: Part, node: Node): Part;
  report(code: ExpressionProblem["code"], range: Range, message: string, remedy: string): void;
  /** Notes that a path of variables is read. */
  reads(path: string): void;
  /** Notes a loop over at most so many elements; reported when all loops together may take too long. */
  loop(node: Node, place: Place, elementsMax: number): void;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Names the part in whatever fails inside it. */
export function located(compiler: Compiler, node: Node, run: Run): Run {
  const part = textOf(compiler, node);
  return (frame) => {
    try {
      return run(frame);
    } catch (error) {
      throw failedAt(part, error);
    }
  };
}

const partUnitsMax = 120;

/** The user's text of a part in one line, for messages. */
export function textOf({ text }: Compiler, { start, end }: Range): string {
  const shown = Math.min(end, start + partUnitsMax);
  return `${withOpeningParentheses(text, { start, end: shown }).replace(/\s+/g, " ")}${shown < end ? "…" : ""}`;
}

/** The parser leaves out an opening parenthesis at the start of a range whose closing one is inside, as in `(a || b).c`. */
export function withOpeningParentheses(text: string, { start, end }: Range): string {
  let open = 0;
  let from = start;
  for (const { 0: token } of text.slice(start, end).matchAll(/[()]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g)) {
    if (token === "(") open++;
    else if (token === ")" && open > 0) open--;
    else if (token === ")") from = Math.max(0, text.lastIndexOf("(", from - 1));
  }
  return text.slice(from, end);
}
