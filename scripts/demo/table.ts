import { styleText } from "node:util";
import type { DemoResult } from "./run-request.ts";

/** The results for people; coloured when standard output is a terminal that wants colours. */
export function table(results: readonly DemoResult[]): string {
  const rows = results.map(({ demo, status, steps, faults }) => ({
    faults,
    cells: [`${demo.request.method ?? "GET"} ${demo.request.path}`, demo.title, String(demo.status), String(status), steps],
  }));
  const head = ["request", "what it shows", "expected", "status", "what the steps did (→ request, ← response)"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(({ cells }) => (cells[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    `        ${styleText("bold", line(head))}`,
    ...rows.flatMap(({ faults, cells }) => [
      `${faults.length === 0 ? styleText("green", "ok    ") : styleText("red", "WRONG ")}  ${line(cells)}`,
      ...faults.map((fault) => styleText("red", `        ${fault}`)),
    ]),
  ].join("\n");
}
