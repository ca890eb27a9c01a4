import { Command } from "commander";
import { type ParentLink, startWorker } from "../processes/serve-worker.ts";
import type { MakeCommand } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { ignoreHangUp } from "./ignore-hang-up.ts";
import { reportUncaught } from "./report-uncaught.ts";

/** Not for people: what `serve` starts for each of its `workers`. */
export const workerCommand: MakeCommand = (policies, _exit, buildInfo) =>
  new Command("worker").description("A worker of `serve`, which starts it; see `workers` in the settings.").action(async () => {
    const worker = startWorker({ parent: parentLink(), policies, environment: process.env, ...(buildInfo && { buildInfo }) });
    reportUncaught(() => worker.log());
    ignoreHangUp(() => worker.log());
    // Whoever ends all processes of a group or a terminal means this one too; its parent says the same, and once is enough.
    process.on("SIGTERM", worker.stop);
    process.on("SIGINT", worker.stop);
    await worker.ended;
    // What still waits, such as for the end of a drain that was cut short, has nobody left to wait for.
    process.exit(exitCodes.fine);
  });

function parentLink(): ParentLink {
  if (process.send === undefined)
    throw new Error("a worker is started by `policy-engine serve` with `workers` in its settings, and by nobody else");
  const send = process.send.bind(process);
  return {
    send: (report) =>
      new Promise((resolve) => {
        if (process.connected) send(report, undefined, undefined, () => resolve());
        else resolve();
      }),
    onOrder: (listener) => void process.on("message", listener),
    onGone: (listener) => void process.once("disconnect", listener),
  };
}
