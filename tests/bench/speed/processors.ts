/** Starts who is measured: the engine as it is shipped, and the no-ops. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { cacheFolder, root } from "../../../scripts/cache.mjs";
import { startChild } from "../../../scripts/processes/child-process.ts";
import { holdPort } from "../../../scripts/processes/free-port.ts";
import { startEngine } from "../../../scripts/processes/start-engine.ts";
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import { inspectable, inspectorOf } from "../live-memory.ts";
import { chainConfig } from "./chains.ts";
import type { NoOp, Processor } from "./contenders.ts";
import { engineSettings } from "./envoy-config.ts";

export interface Running {
  readonly pid: number;
  /** From the start of the process until it serves; a multiple of 20 ms. */
  readonly startupMs: number;
  /** Of Node's that is asked how much of its memory is in use. */
  readonly inspector: string | undefined;
  stop(): Promise<unknown>;
}

export interface NoOpProgram {
  readonly command: string;
  readonly args: readonly string[];
}

/** By name; what cannot be built here is not there. */
export type NoOpPrograms = ReadonlyMap<NoOp, NoOpProgram>;

export type EngineProcessor = Extract<Processor, { readonly kind: "engine" }>;

const startTimeoutMs = 20_000;
const stopGraceMs = 5_000;

/** @param program the laid-out engine's. Rejects when it does not come up. */
export async function startMeasuredEngine(
  { transport, chain, routes }: EngineProcessor,
  { program, socket, folder, name }: { readonly program: string; readonly socket: string; readonly folder: string; readonly name: string },
): Promise<Running> {
  const file = join(folder, `${name}.policies.yaml`);
  await writeFile(file, chainConfig(chain, routes));
  const admin = await holdPort();
  await admin.release();
  const settings = { ...engineSettings(socket, transport), admin: `tcp:127.0.0.1:${admin.port}`, providers: [{ file: { paths: [file] } }] };
  const started = performance.now();
  const inspected = chain === "held";
  const engine = await startEngine({
    name,
    settings,
    adminPort: admin.port,
    folder,
    program,
    nodeOptions: inspected ? inspectable : [],
  });
  const startupMs = performance.now() - started;
  return { pid: engine.process.pid, startupMs, inspector: inspected ? await inspectorOf(engine.process) : undefined, stop: engine.stop };
}

/** Rejects when nobody listens at the socket within 20 s. */
export async function startNoOp({ command, args }: NoOpProgram, socket: string): Promise<Running> {
  const started = performance.now();
  const child = await startChild({ name: command, command, args: [...args, socket] });
  await waitFor({ what: `${command} to listen`, timeoutMs: startTimeoutMs, explain: () => child.lastLines().join("\n") }, () =>
    listens(socket),
  );
  return { pid: child.pid, startupMs: performance.now() - started, inspector: undefined, stop: () => child.stop(stopGraceMs) };
}

function listens(socket: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(undefined));
  });
}

const sources = join(root, "tests/bench/contenders");

/** @param say is told what is built, and why something is left out */
export async function buildNoOps(wanted: readonly NoOp[], say: (text: string) => void): Promise<NoOpPrograms> {
  const programs = new Map<NoOp, NoOpProgram>();
  for (const name of wanted) {
    const made = await makers[name](say).catch((error: unknown) => {
      say(`left out: the no-op in ${name}: ${firstLine(error)}`);
      return undefined;
    });
    if (made !== undefined) programs.set(name, made);
  }
  return programs;
}

const makers: Readonly<Record<NoOp, (say: (text: string) => void) => Promise<NoOpProgram>>> = {
  "grpc-js": async () => ({ command: process.execPath, args: [join(sources, "grpc-js/server.ts")] }),
  async go(say) {
    say("building the no-op in Go, a minute the first time ...");
    const binary = join(cacheFolder(), "bench-no-op-go");
    await run("go", ["build", "-trimpath", "-buildvcs=false", "-o", binary, "."], join(sources, "go"));
    return { command: binary, args: [] };
  },
  async rust(say) {
    say("building the no-op in Rust, minutes the first time ...");
    const target = join(cacheFolder(), "bench-no-op-rust");
    // The compiler of proto files that the engine's own types are made with.
    const protoc = `env.PROTOC=${JSON.stringify(join(root, "node_modules/.bin/protoc"))}`;
    await run("cargo", ["build", "--release", "--locked", "--target-dir", target, "--config", protoc], join(sources, "rust"));
    return { command: join(target, "release/noop"), args: [] };
  },
};

const buildTimeoutMs = 900_000;

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  await promisify(execFile)(command, args, { cwd, timeout: buildTimeoutMs });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n").slice(0, 2).join(" ");
}
