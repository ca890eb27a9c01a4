/** From text to the parser's tree, and its complaints in our words. */
import { Environment, ParseError } from "@marcbachmann/cel-js";
import { parserLimits } from "./bounds.ts";
import type { ExpressionProblem } from "./expression.ts";
import type { Node } from "./part.ts";

/** Only the grammar of cel-js is used here, and that does not depend on variables. */
export function parseExpression(text: string): { readonly root: Node } | { readonly problem: ExpressionProblem } {
  try {
    return { root: new Environment({ enableOptionalTypes: true, limits: parserLimits }).parse(text).ast };
  } catch (error) {
    if (error instanceof ParseError) return { problem: problemOf(text, error) };
    if (!(error instanceof RangeError)) throw error;
    // The stack: the parser's limits do not count a row of `!` or `-`.
    return { problem: { code: "cost", message: "the expression is nested too deeply", remedy: "split it", start: 0, end: text.length } };
  }
}

function problemOf(text: string, error: ParseError): ExpressionProblem {
  const start = Math.min(error.range?.start ?? 0, text.length);
  const end = Math.min(Math.max(error.range?.end ?? start, start), text.length);
  if (error.code === "limit_exceeded") {
    const limit = error.summary.replace(/^Exceeded /, "");
    return {
      code: "cost",
      message: `the expression is too large: ${limit}`,
      remedy: "make it smaller, or split it into several steps",
      start,
      end,
    };
  }
  const { message, remedy } = wordsFor(error, text.slice(start, end));
  return { code: "syntax", message, remedy, start, end };
}

const expected: Readonly<Record<string, string>> = {
  RPAREN: "`)`",
  RBRACKET: "`]`",
  RBRACE: "`}`",
  COLON: "`:`",
  IDENTIFIER: "a name",
};

/** What people write who come from another language. */
const habits: Readonly<Record<string, string>> = {
  "=": "==",
  "&": "&&",
  "|": "||",
  and: "&&",
  or: "||",
  not: "!",
  AND: "&&",
  OR: "||",
  NOT: "!",
  "===": "==",
};

function wordsFor(error: ParseError, found: string): { readonly message: string; readonly remedy: string } {
  const habit = habits[found.trim()];
  if (habit !== undefined && Object.hasOwn(habits, found.trim()))
    return { message: `unexpected \`${found}\``, remedy: `write \`${habit}\`` };
  const wanted = expected[/^Expected (\w+)/.exec(error.summary)?.[1] ?? ""];
  const remedy = wanted === undefined ? "complete or correct the expression here" : `write ${wanted} here`;
  switch (error.code) {
    case "expected_token":
    case "unexpected_token":
    case "unexpected_character":
      return { message: found.trim() === "" ? "the expression ends too early" : `unexpected \`${found}\``, remedy };
    case "unterminated_string":
    case "unterminated_triple_quoted_string":
      return { message: "the string is not closed", remedy: "close it with the quote it began with" };
    case "newline_in_string":
      return { message: "a string must not contain a line break", remedy: 'write `\\n`, or quote it as in `"""text"""`' };
    case "reserved_identifier":
      return { message: `\`${found}\` is a reserved word`, remedy: "use another name" };
    case "invalid_macro_argument":
      return { message: `\`${found}\` is no name for the elements`, remedy: "write a name first, as in `list.all(x, x > 0)`" };
    default:
      return { message: `${error.summary.charAt(0).toLowerCase()}${error.summary.slice(1)}`, remedy: "correct the expression here" };
  }
}
