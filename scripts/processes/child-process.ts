import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A process that this one has started and ends. */
export interface Child {
  /** For messages: `engine`, `Envoy`. */
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended and its output has been read; never rejects. */
  readonly exited: Promise<Exit>;
  running(): boolean;
  /** The last lines that it wrote to stdout and stderr, at most 100. */
  lastLines(): readonly string[];
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL when it is still there after `graceMs`. Resolves when it is gone; at once when it has gone before. */
  stop(graceMs: number): Promise<Exit>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Gets every line of stdout. */
  readonly onLine?: (line: string) => void;
}

const linesMax = 100;

/** Starts a process that does not outlive this one. Rejects when it cannot be started, with the reason. */
export async function startChild({ name, command, args, env = process.env, onLine = () => {} }: ChildOptions): Promise<Child> {
  // In this process's group: Ctrl-C at a terminal ends the child even when this process has no time to do it.
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > linesMax) lines.shift();
  };
  readLines(child.stdout, (line) => {
    keep(line);
    onLine(line);
  });
  readLines(child.stderr, keep);
  let ended: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => {
      ended = { code, signal };
      resolve(ended);
    });
  });
  const pid = await started(child, name);
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  process.once("exit", kill);
  void exited.then(() => process.off("exit", kill));

  return {
    name,
    pid,
    exited,
    running: () => ended === undefined,
    lastLines: () => [...lines],
    signal: (signal) => {
      child.kill(signal);
    },
    async stop(graceMs) {
      child.kill("SIGTERM");
      const timer = setTimeout(kill, graceMs);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", onLine);
}

function started(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${name} cannot be started: ${error.message}`, { cause: error })));
    child.once("spawn", () => {
      if (child.pid !== undefined) resolve(child.pid);
    });
  });
}
