import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { workerCount } from "../config/workers.ts";
import { startEngine } from "../main.ts";
import { forkWorkers } from "../processes/fork-worker.ts";
import { type Supervisor, superviseWorkers } from "../processes/supervise.ts";
import type { MakeCommand } from "./command.ts";
import { readSettingsFile, type SettingsFile } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";
import { ignoreHangUp } from "./ignore-hang-up.ts";
import { reportUncaught } from "./report-uncaught.ts";

export const serveCommand: MakeCommand = (policies, exit, buildInfo) =>
  new Command("serve")
    .description(
      "Runs the engine. SIGTERM or SIGINT drains it, a second one ends it at once; SIGHUP changes nothing. With `workers` in the settings, SIGUSR2 replaces them one by one.",
    )
    .requiredOption("--settings <file>", "how the process runs, see docs/settings.md")
    .addHelpText("after", "\nExample:\n  policy-engine serve --settings configs/demo/settings.yaml")
    .action(async ({ settings: path }: { settings: string }) => {
      const file = await readSettingsFile(path);
      if (file === undefined) return exit(exitCodes.findings);
      let running: Running | undefined;
      reportUncaught(() => running?.log);
      ignoreHangUp(() => running?.log);
      const parts = { settings: file.settings, policies, environment: process.env, ...(buildInfo && { buildInfo }) };
      const workers = workerCount(file.settings.workers, availableParallelism());
      const supervisor = workers === 1 ? undefined : await superviseWorkers({ ...parts, ...workersOf(path, file), workers });
      running = supervisor ?? (await startEngine(parts));
      if (supervisor !== undefined) process.on("SIGUSR2", () => void supervisor.replaceWorkers());
      await untilStopped(running);
    });

type Running = Pick<Supervisor, "log" | "stop">;

function untilStopped(running: Running): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      running.stop().then(resolve, reject);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}

/** A worker is this program once more. */
function workersOf(path: string, { document }: SettingsFile) {
  const [, program = ""] = process.argv;
  return {
    source: { settings: { uri: document.uri, text: document.text }, directory: dirname(resolve(path)) },
    fork: forkWorkers(program),
  };
}
