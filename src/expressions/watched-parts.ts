/** An expression compiled so that it writes down the value of each of its parts: a separate one, so that the one that serves carries nothing of it. */
import { startWalk } from "./compiler.ts";
import { type EvaluatedPart, ExpressionError, type Scope } from "./expression.ts";
import { Fault } from "./fault.ts";
import { located, type Node, type Run, textOf } from "./part.ts";
import type { PatternEngine } from "./patterns.ts";

export interface Watched {
  readonly run: Run;
  /** The parts of the last evaluation; they are forgotten with that. An evaluation is synchronous, so there is one at a time. */
  take(): readonly EvaluatedPart[];
}

const partsMax = 64;

/** @param root of a text that has been compiled without problems */
export function watchedParts(text: string, root: Node, scope: Scope, patterns: PatternEngine): Watched {
  let parts: EvaluatedPart[] = [];
  const { compiler } = startWalk(text, scope, patterns, (node, run, reads) => {
    const written = textOf(compiler, node);
    const note = (result: EvaluatedPart["result"]): void => {
      if (parts.length < partsMax) parts.push({ text: written, reads, result });
    };
    return (frame) => {
      try {
        const value = run(frame);
        note({ value });
        return value;
      } catch (error) {
        note({ failure: failureOf(error) });
        throw error;
      }
    };
  });
  const { run } = compiler.part(root, { locals: new Map(), depth: 0, rounds: 1 });
  return {
    run: located(compiler, root, run),
    take() {
      const taken = parts;
      parts = [];
      return taken;
    },
  };
}

/** What an evaluation yields or why it failed. The reason names a part, never a value. */
export function resultOf<Value>(run: () => Value): { readonly value: Value } | { readonly failure: string } {
  try {
    return { value: run() };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** Any other text may quote a value. */
const failureOf = (error: unknown): string =>
  error instanceof ExpressionError || error instanceof Fault ? error.message : "reading a value failed";
