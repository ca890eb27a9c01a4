import type { BuildEvent } from "../../builder/events.ts";
import { formatProblems } from "../config/problems.ts";

/** One event a line on standard output. */
export function printEventJson(event: BuildEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

export interface ProgressOptions {
  /** Whether what tools print is shown always, or only when their step fails. */
  readonly verbosity: "all" | "failures";
}

/** A line for each step on standard error as it ends, and while it runs where that is a terminal. Problems go to standard output. */
export function printEvents({ verbosity }: ProgressOptions): (event: BuildEvent) => void {
  let said: string[] = [];
  const terminal = process.stderr.isTTY;
  const line = (text: string): void => {
    process.stderr.write(`${terminal ? "\r\u001b[K" : ""}${text}\n`);
  };
  return (event) => {
    switch (event.event) {
      case "started":
        said = [];
        if (terminal) process.stderr.write(`        ${event.step} ...`);
        return;
      case "finished":
        return line(`ok      ${event.step.padEnd(nameWidth)} ${seconds(event.ms)}  ${event.detail}`);
      case "skipped":
        return line(`skipped ${event.step}`);
      case "failed":
        if (verbosity === "failures") said.forEach(line);
        line(`FAILED  ${event.step.padEnd(nameWidth)} ${seconds(event.ms)}  ${event.problems.length} found`);
        process.stdout.write(`${formatProblems(event.problems)}\n`);
        return;
      case "notice":
        return line(`note    ${event.text}`);
      case "output":
        if (verbosity === "all") line(indented(event.text));
        else said.push(indented(event.text));
        return;
      default:
        return event satisfies never;
    }
  };
}

const nameWidth = 10;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(6)} s`;
}

function indented(text: string): string {
  return text.trimEnd().replace(/^/gm, "        | ");
}
