import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { root } from "../cache.mjs";
import { type Child, type Exit, startChild } from "./child-process.ts";
import { type Data, writeData } from "./data.ts";
import { send } from "./send.ts";
import { waitFor } from "./wait-for.ts";

export interface Engine {
  readonly process: Child;
  readonly adminPort: number;
  /** What it has logged. */
  readonly log: readonly LogLine[];
  /** Calls `listener` with every line that is logged from now on. */
  onLog(listener: (line: LogLine) => void): void;
  /** SIGTERM; SIGKILL when it is still there after 10 s. */
  stop(): Promise<Exit>;
}

export type LogLine = Readonly<Record<string, unknown>>;

export interface EnginePlan {
  /** For messages and for the name of the settings file. */
  readonly name: string;
  /** With `adminPort` in it and absolute paths. */
  readonly settings: Data;
  readonly adminPort: number;
  /** For the settings file. */
  readonly folder: string;
  /** What is started. Default: the program of this checkout. */
  readonly program?: string;
  /** `listening` is enough where there is no valid configuration. Default `ready`. */
  readonly until?: "ready" | "listening";
  /** What Node itself is started with. Default: nothing. */
  readonly nodeOptions?: readonly string[];
}

const startTimeoutMs = 20_000;
const stopGraceMs = 10_000;
const checkoutProgram = join(root, "bin/policy-engine.mjs");

/** Starts an engine. Rejects, with what it said and with the engine gone, when it does not come up within 20 s. */
export async function startEngine(plan: EnginePlan): Promise<Engine> {
  const { name, settings, adminPort, folder, program = checkoutProgram, until = "ready", nodeOptions = [] } = plan;
  const file = join(folder, `${name}.settings.yaml`);
  await writeFile(file, writeData(settings));
  const log: LogLine[] = [];
  const listeners: ((line: LogLine) => void)[] = [];
  const child = await startChild({
    name,
    command: process.execPath,
    args: [...nodeOptions, program, "serve", "--settings", file],
    onLine: (text) => {
      const line = logLine(text);
      log.push(line);
      for (const listener of listeners) listener(line);
    },
  });
  const path = until === "ready" ? "/readyz" : "/healthz";
  const said = (): string => `it said\n${child.lastLines().slice(-20).join("\n")}`;
  try {
    await waitFor({ what: `the ${name} to be ${until}`, timeoutMs: startTimeoutMs, explain: said }, async () => {
      if (!child.running()) throw new Error(`the ${name} ended instead of serving: ${said()}`);
      if (until === "ready" && log.some(({ problems }) => problems !== undefined)) {
        throw new Error(`the ${name} refuses its configuration: ${said()}`);
      }
      const answer = await send(adminPort, { path }).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
  } catch (error) {
    await child.stop(stopGraceMs);
    throw error;
  }
  return { process: child, adminPort, log, onLog: (listener) => void listeners.push(listener), stop: () => child.stop(stopGraceMs) };
}

/** A line that is no JSON object, such as a crash's stack, becomes the message of one. */
function logLine(text: string): LogLine {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === "object" && line !== null) return { ...line };
  } catch {
    // Not JSON.
  }
  return { msg: text };
}
