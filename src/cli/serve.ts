import { inspect } from "node:util";
import { Command } from "commander";
import { type Engine, startEngine } from "../main.ts";
import type { MakeCommand } from "./command.ts";
import { readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";

export const serveCommand: MakeCommand = (policies, exit, buildInfo) =>
  new Command("serve")
    .description("Runs the engine. SIGTERM or SIGINT drains it, a second one ends it at once; SIGHUP changes nothing.")
    .requiredOption("--settings <file>", "how the process runs, see README.md")
    .addHelpText("after", "\nExample:\n  policy-engine serve --settings configs/demo/settings.yaml")
    .action(async ({ settings: path }: { settings: string }) => {
      const settings = await readSettings(path);
      if (settings === undefined) return exit(exitCodes.findings);
      let running: Engine | undefined;
      // The process goes on: what a policy throws in a timer or a listener, where nobody can catch it, must not take every exchange with it.
      process.on("uncaughtException", (error: unknown) => report(running, error, "an error was thrown and nobody caught it"));
      process.on("unhandledRejection", (error) => report(running, error, "a promise was rejected and nobody handled it"));
      // Node would end the process. Whoever rotates logs or reloads daemons sends it by habit, and there is nothing to do: files are watched.
      process.on("SIGHUP", () =>
        running?.log.info({}, "SIGHUP changes nothing: configuration, secrets and log files are noticed without it"),
      );
      const engine = await startEngine({ settings, policies, environment: process.env, ...(buildInfo && { buildInfo }) });
      running = engine;
      await new Promise<void>((resolve, reject) => {
        const stop = (): void => {
          engine.stop().then(resolve, reject);
        };
        process.on("SIGTERM", stop);
        process.on("SIGINT", stop);
      });
    });

function report(engine: Engine | undefined, error: unknown, message: string): void {
  try {
    if (engine === undefined) process.stderr.write(`policy-engine: ${message}: ${inspect(error)}\n`);
    else engine.log.error({ err: error }, message);
  } catch {
    // Reading what was thrown has thrown again.
    process.stderr.write(`policy-engine: ${message}\n`);
  }
}
