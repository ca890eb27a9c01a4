import { inspect } from "node:util";
import type { Log } from "../observe/log.ts";

/**
 * The process goes on: what a policy throws in a timer or a listener, where nobody can catch it, must not take every exchange with it.
 *
 * @param log undefined while there is none: standard error takes its place
 */
export function reportUncaught(log: () => Log | undefined): void {
  process.on("uncaughtException", (error: unknown) => report(log(), error, "an error was thrown and nobody caught it"));
  process.on("unhandledRejection", (error) => report(log(), error, "a promise was rejected and nobody handled it"));
}

function report(log: Log | undefined, error: unknown, message: string): void {
  try {
    if (log === undefined) process.stderr.write(`policy-engine: ${message}: ${inspect(error)}\n`);
    else log.error({ err: error }, message);
  } catch {
    // Reading what was thrown has thrown again.
    process.stderr.write(`policy-engine: ${message}\n`);
  }
}
