/** Where it was measured: a figure without it says nothing. */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import process from "node:process";
import { envoyVersion } from "../../../scripts/envoy.mjs";
import type { Machine } from "./table.ts";

/** @param loadBefore what `loadAverage` said before anything ran */
export function machineNow(loadBefore: number, compilers: readonly ("go" | "rust")[]): Machine {
  const [first] = cpus();
  return {
    processors: `${cpus().length} x ${first?.model.trim() ?? "unknown"}`,
    memoryGiB: totalmem() / 1024 ** 3,
    system: `${process.platform} ${release()}`,
    versions: {
      Envoy: envoyVersion,
      Node: process.versions.node,
      ...Object.fromEntries(compilers.map((name) => [name, versionOf[name]()])),
    },
    when: new Date().toISOString().slice(0, 16),
    loadAverage: [loadBefore, loadAverage()],
  };
}

export function loadAverage(): number {
  return loadavg()[0] ?? Number.NaN;
}

const versionOf = {
  go: () => /go(\d\S*)/.exec(said("go", "version"))?.[1] ?? "",
  rust: () => said("rustc", "--version").split(" ")[1] ?? "",
} as const;

function said(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8" });
}
