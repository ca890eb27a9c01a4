/** Results of cases for people and for machines. */
import type { Problem } from "../errors.ts";
import type { CaseResult } from "../testing/cases.ts";
import { differenceLines, visible } from "../testing/difference-lines.ts";

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
