import { formatProblems } from "../config/problems.ts";
import { differenceLines } from "../testing/difference-lines.ts";
import type { SuiteReport } from "./case-report.ts";

/** Results as CI servers read them: JUnit's XML, a suite for each file. A file that could not be run is a suite with one error. */
export function junitXml(reports: readonly SuiteReport[]): string {
  return ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", ...reports.flatMap(suiteLines), "</testsuites>", ""].join("\n");
}

function suiteLines({ uri, results, problems }: SuiteReport): readonly string[] {
  const failures = results.filter(({ differences }) => differences.length > 0).length;
  const errors = problems.length > 0 ? 1 : 0;
  const time = seconds(results.reduce((sum, { durationMs }) => sum + durationMs, 0));
  const cases = results.map(({ name, position, durationMs, differences }) => {
    const head = `    <testcase${attributes({ name, classname: uri, file: uri, line: position.line, time: seconds(durationMs) })}`;
    if (differences.length === 0) return `${head}/>`;
    const message = differences.map(({ path, message: text }) => `${path}: ${text}`).join("; ");
    return `${head}><failure${attributes({ message })}>${escaped(differences.flatMap(differenceLines).join("\n"))}</failure></testcase>`;
  });
  const unread = `    <testcase${attributes({ name: "can be run", classname: uri, file: uri })}><error>${escaped(formatProblems(problems))}</error></testcase>`;
  return [
    `  <testsuite${attributes({ name: uri, tests: results.length + errors, failures, errors, time })}>`,
    ...(errors > 0 ? [unread] : cases),
    "  </testsuite>",
  ];
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join("");
}

/** XML 1.0 has no way to write most control characters, and no half of a surrogate pair. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");
}
