import type { Position, Problem } from "../errors.ts";
import { visibleText } from "./visible-text.ts";

/**
 * Problems for people, sorted by document, line and column; empty text for none.
 *
 * ```
 * policies.yaml:12:7: error[unknown-key] unknown key `stpes`
 *   at chains.api.stpes
 *   help: did you mean `steps`?
 * ```
 */
export function formatProblems(problems: readonly Problem[]): string {
  return sortProblems(problems).map(formatProblem).join("\n");
}

/** By document, line and column; problems of one place stay in the order in which they were found. Columns count UTF-16 units. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted(({ position: left }, { position: right }) => {
    if (left.uri !== right.uri) return left.uri < right.uri ? -1 : 1;
    return left.line - right.line || left.column - right.column;
  });
}

function formatProblem({ code, severity, message, remedy, position, path, related = [] }: Problem): string {
  const lines = [`${place(position)}: ${severity}[${code}] ${message}`];
  if (path !== "") lines.push(`  at ${path}`);
  for (const other of related) lines.push(`  see ${place(other.position)}: ${other.message}`);
  lines.push(`  help: ${remedy}`);
  return lines.map(visibleText).join("\n");
}

function place({ uri, line, column }: Position): string {
  return `${uri}:${line}:${column}`;
}
