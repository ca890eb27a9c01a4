import { ExpressionError } from "./expression.ts";

/** What went wrong with values while evaluating, without the place. Its message never holds a value. */
export class Fault extends Error {}

/** The error that leaves an evaluation: what went wrong, and at which part of the expression. */
export function failedAt(part: string, error: unknown): ExpressionError {
  if (error instanceof ExpressionError) return error;
  if (error instanceof Fault) return new ExpressionError(`${error.message} at \`${part}\``);
  // Its own text may quote a value, so it is only the cause.
  return new ExpressionError(`reading a value failed at \`${part}\``, { cause: error });
}
