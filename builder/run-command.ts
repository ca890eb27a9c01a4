import { spawn } from "node:child_process";

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  /** After this it is killed. Default: as long as it takes. */
  readonly timeoutMs?: number;
  /** Gets each line of stdout as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program to its end and keeps what it says. Rejects when it cannot be started. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, timeoutMs, onLine }: CommandOptions,
): Promise<CommandResult> {
  const child = spawn(command, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: "SIGKILL" }),
  });
  const said = { stdout: "", stderr: "" };
  let line = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.stdout += text;
    if (onLine === undefined) return;
    const lines = (line + text).split("\n");
    line = lines.pop() ?? "";
    lines.forEach(onLine);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`\`${command}\` cannot be started: ${error.message}`, { cause: error })));
    child.on("close", resolve);
  });
  return { code, ...said };
}
