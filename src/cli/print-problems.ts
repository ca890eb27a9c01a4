import { formatProblems } from "../config/problems.ts";
import type { Problem } from "../errors.ts";

/** Problems on standard output: a list for machines, or text for people. */
export function printProblems(problems: readonly Problem[], { json }: { readonly json?: boolean }): void {
  if (json === true) process.stdout.write(`${JSON.stringify(problems, undefined, 2)}\n`);
  else if (problems.length > 0) process.stdout.write(`${formatProblems(problems)}\n`);
}

/** `2 problems, 1 warning` */
export function problemCount(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return [count(errors, "problem"), ...(problems.length > errors ? [count(problems.length - errors, "warning")] : [])].join(", ");
}

const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? "" : "s"}`;
