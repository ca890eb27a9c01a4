import { Command } from "commander";
import { startEngine } from "../main.ts";
import type { MakeCommand } from "./command.ts";
import { readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";

export const serveCommand: MakeCommand = (policies, exit) =>
  new Command("serve")
    .description("Runs the engine. SIGTERM or SIGINT drains it, a second one ends it at once.")
    .requiredOption("--settings <file>", "how the process runs, see README.md")
    .addHelpText("after", "\nExample:\n  policy-engine serve --settings configs/demo/settings.yaml")
    .action(async ({ settings: path }: { settings: string }) => {
      const settings = await readSettings(path);
      if (settings === undefined) return exit(exitCodes.findings);
      const engine = await startEngine({ settings, policies, environment: process.env });
      await new Promise<void>((resolve, reject) => {
        const stop = (): void => {
          engine.stop().then(resolve, reject);
        };
        process.on("SIGTERM", stop);
        process.on("SIGINT", stop);
        // The process goes on: whoever left a promise unhandled must not take every exchange with it.
        process.on("unhandledRejection", (error) => engine.log.error({ err: error }, "a promise was rejected and nobody handled it"));
      });
    });
