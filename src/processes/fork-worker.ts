import { fork } from "node:child_process";
import { isReport, type Order, type Report } from "./protocol.ts";

/** A worker as a process: started, spoken to, ended. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Lost without a word when the process is gone: `exited` says it. */
  send(order: Order): void;
  /** At once and without asking, SIGKILL. */
  kill(): void;
  /** Why it has ended, for people; resolves when it has, also when it could not be started. */
  readonly exited: Promise<string>;
}

export interface WorkerListener {
  report(report: Report): void;
  /** Something that is no report came: it speaks another language. */
  nonsense(): void;
  /** Whole lines of its standard output, with their ends. */
  lines(text: string): void;
}

/** @param program what is started, with the one argument `worker` */
export type ForkWorker = (listener: WorkerListener) => WorkerProcess;

export function forkWorkers(program: string): ForkWorker {
  return (listener) => {
    // Standard output comes through this process: lines of several that are longer than a pipe's atomic write would be mixed.
    const child = fork(program, ["worker"], { serialization: "advanced", stdio: ["ignore", "pipe", "inherit", "ipc"] });
    child.on("message", (message) => (isReport(message) ? listener.report(message) : listener.nonsense()));
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const end = text.lastIndexOf("\n") + 1;
      if (end > 0) listener.lines(rest + text.slice(0, end));
      rest = end > 0 ? text.slice(end) : rest + text;
      if (rest.length > lineLengthMax) rest = "";
    });
    const exited = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    return {
      pid: child.pid,
      send: (order) => {
        if (child.connected) child.send(order, () => {});
      },
      kill: () => void child.kill("SIGKILL"),
      exited,
    };
  };
}

/** What is longer is no line of a log. */
const lineLengthMax = 1024 * 1024;
