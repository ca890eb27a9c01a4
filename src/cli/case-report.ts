/** Results of cases for people and for machines. */
import { diff, inspect } from "node:util";
import type { Problem } from "../errors.ts";
import type { CaseResult, Difference } from "../testing/cases.ts";

/** What became of a case file. */
export interface SuiteReport {
  readonly uri: string;
  readonly results: readonly CaseResult[];
  /** Why the file, or what it is about, cannot be read; then there are no results. */
  readonly problems: readonly Problem[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Files that could not be run. */
  readonly unread: number;
}

export function count(reports: readonly SuiteReport[]): Counts {
  const results = reports.flatMap((report) => report.results);
  const failed = results.filter(({ differences }) => differences.length > 0).length;
  return { passed: results.length - failed, failed, unread: reports.filter(({ problems }) => problems.length > 0).length };
}

/** `2 passed, 1 failed` */
export function countText({ passed, failed, unread }: Counts): string {
  return `${passed} passed, ${failed} failed${unread === 0 ? "" : `, ${unread} ${unread === 1 ? "file" : "files"} could not be run`}`;
}

/** A line for each case, and below it each thing that did not come out as expected, with its position. */
export function resultLines({ name, differences }: CaseResult): readonly string[] {
  return [
    `  ${differences.length === 0 ? "ok    " : "FAILED"} ${visible(name)}`,
    ...differences.flatMap(differenceLines).map((line) => `         ${line}`),
  ];
}

/** `FILE:LINE:COLUMN: PATH: MESSAGE`, what was expected, what was found. */
export function differenceLines({ position, path, message, values, detail }: Difference): readonly string[] {
  return [
    `${position.uri}:${position.line}:${position.column}: ${path}: ${message}`,
    ...(values === undefined ? [] : valueLines(values)),
    ...(detail === undefined ? [] : detail.split("\n").map(visible)),
  ];
}

function valueLines({ expected, found }: NonNullable<Difference["values"]>): readonly string[] {
  if (typeof expected === "string" && typeof found === "string" && /\n/.test(expected + found)) return textDiffLines(expected, found);
  return [
    ...(expected === undefined ? [] : [`  expected ${shown(expected)}`]),
    ...(found === undefined ? [] : [`  found    ${shown(found)}`]),
  ];
}

/** Lines that are only expected have a `-`, lines that are only found a `+`. */
function textDiffLines(expected: string, found: string): readonly string[] {
  const signs = { "-1": "+", 0: " ", 1: "-" } as const;
  return diff(expected.split("\n"), found.split("\n")).map(([kind, line]) => `  ${signs[kind]} ${visible(line)}`);
}

const shown = (value: unknown): string =>
  visible(typeof value === "string" ? JSON.stringify(value) : inspect(value, { depth: 10, breakLength: Number.POSITIVE_INFINITY }));

/** Text from a case or a policy may hold terminal escapes. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}

/** A list of all cases, for machines. */
export function reportJson(reports: readonly SuiteReport[]): string {
  const files = reports.map(({ uri, problems, results }) => ({
    uri,
    problems,
    cases: results.map(({ name, position, differences, durationMs }) => ({
      name,
      passed: differences.length === 0,
      position,
      durationMs,
      differences,
    })),
  }));
  return `${JSON.stringify({ ...count(reports), files }, undefined, 2)}\n`;
}
