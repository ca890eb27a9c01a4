import { styleText } from "node:util";
import type { DemoResult } from "./run-request.ts";

/** The results for people. Colours only when `colours` says so. */
export function table(results: readonly DemoResult[], colours: "colours" | "plain"): string {
  const paint: typeof styleText = (format, text) => (colours === "colours" ? styleText(format, text, { validateStream: false }) : text);
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
    `        ${paint("bold", line(head))}`,
    ...rows.flatMap(({ faults, cells }) => [
      `${faults.length === 0 ? paint("green", "ok    ") : paint("red", "WRONG ")}  ${line(cells)}`,
      ...faults.map((fault) => paint("red", `        ${fault}`)),
    ]),
  ].join("\n");
}
