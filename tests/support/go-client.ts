/** The client in `go-client/`: ext_proc as grpc-go and Envoy's own types speak it. Built when there is Go, into the cache of this user. */
import { type ChildProcessWithoutNullStreams, execFile, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { status } from "@grpc/grpc-js";
import { cacheFolder } from "../../scripts/cache.mjs";

export interface GoStreamPlan {
  /** Keys and values, in order. */
  readonly metadata?: readonly (readonly [key: string, value: string])[];
  /** Default: it may take for ever. */
  readonly deadlineMs?: number;
  /** Told of each answer. */
  readonly answered: (bytes: Uint8Array) => void;
  /** Told once, last. */
  readonly ended: (end: GoStreamEnd) => void;
}

export interface GoStreamEnd {
  /** Of gRPC; 0 is OK. */
  readonly code: number;
  readonly text: string;
}

export interface GoStream {
  /** @param message a ProcessingRequest; one with a field that Envoy's types do not have ends the client */
  send(message: Uint8Array): void;
  halfClose(): void;
  cancel(): void;
}

/** One connection to a server. */
export interface GoClient {
  open(plan: GoStreamPlan): GoStream;
  /** Ends it with its connection. Rejects with what it said when it has not ended well: an answer that Envoy's types do not know, for one. */
  close(): Promise<void>;
}

const folder = join(import.meta.dirname, "go-client");
const buildTimeoutMs = 300_000;

/** The built program, or why there is none. */
export type GoClientProgram = { readonly path: string } | { readonly missing: string };

/** Without Go, or where its modules cannot be fetched the first time, there is none. Rejects when it does not build. */
export async function buildGoClient(): Promise<GoClientProgram> {
  if (spawnSync("go", ["version"]).status !== 0) return { missing: "there is no `go` on the PATH to build tests/support/go-client with" };
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum", "main.go"]) hash.update(readFileSync(join(folder, file)));
  const path = join(cacheFolder(), `go-client-${hash.digest("hex").slice(0, 16)}-${process.platform}-${process.arch}`);
  if (existsSync(path)) return { path };
  const go = (...args: readonly string[]) => promisify(execFile)("go", args, { cwd: folder, timeout: buildTimeoutMs });
  try {
    await go("list", "-deps", ".");
  } catch (error) {
    // The last of many lines says why.
    const said = (error instanceof Error ? error.message : String(error)).trim().split("\n").at(-1);
    return { missing: `the modules of tests/support/go-client are not to be had: ${said}` };
  }
  const unfinished = `${path}.${process.pid}`;
  await go("build", "-trimpath", "-o", unfinished, ".");
  renameSync(unfinished, path);
  return { path };
}

/**
 * @param program the path of the built one
 * @param target as gRPC names it: `unix:PATH` or `HOST:PORT`
 */
export function startGoClient(program: string, target: string): GoClient {
  const child = spawn(program, [target]);
  const streams = new Map<number, GoStreamPlan>();
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    said += bytes.toString();
  });
  // Whoever writes to a program that is gone learns of it as below.
  child.stdin.on("error", () => {});
  const ended = (number: number, end: GoStreamEnd): void => {
    streams.get(number)?.ended(end);
    streams.delete(number);
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { stream, message, end }: Event = JSON.parse(line);
    if (message !== null) streams.get(stream)?.answered(Buffer.from(message, "base64"));
    if (end !== null) ended(stream, end);
  });
  child.once("close", () => {
    for (const number of streams.keys()) ended(number, { code: status.UNKNOWN, text: `the Go client has gone: ${said}` });
  });
  let opened = 0;
  return {
    open(plan) {
      const { metadata = [], deadlineMs = 0 } = plan;
      const stream = opened++;
      streams.set(stream, plan);
      const tell = (command: object): void => void child.stdin.write(`${JSON.stringify({ stream, ...command })}\n`);
      tell({ do: "open", metadata, deadlineMs });
      return {
        send: (message) => tell({ do: "send", message: Buffer.from(message).toString("base64") }),
        halfClose: () => tell({ do: "half-close" }),
        cancel: () => tell({ do: "cancel" }),
      };
    },
    close: () => closed(child, () => said),
  };
}

/** What the program says of a stream. */
interface Event {
  readonly stream: number;
  /** In base64. */
  readonly message: string | null;
  readonly end: GoStreamEnd | null;
}

async function closed(child: ChildProcessWithoutNullStreams, said: () => string): Promise<void> {
  child.stdin.end();
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  if (child.exitCode !== 0) throw new Error(`the Go client has ended with ${child.exitCode ?? child.signalCode}: ${said()}`);
}
