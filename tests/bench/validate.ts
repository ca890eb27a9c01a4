/**
 * How long `policy-engine validate` takes on a large configuration: 1,000 routes, 200 chains of five steps with tokens, rules, identity headers and
 * conditions. Each run is a process of its own, as somebody waits for it, its start included. Ends with 1 when the middle one of the runs
 * takes more than two seconds of processor time: on a busy machine the clock says more about its other users.
 *
 *   npm run bench:validate [-- RUNS]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/cache.mjs";
import { largeConfiguration } from "./large-configuration.ts";

interface Times {
  /** Milliseconds of the clock. */
  readonly clock: number;
  /** Milliseconds of processor time, of the process and the kernel for it. */
  readonly processor: number;
}

const limitMs = 2_000;
const runs = Number(process.argv[2] ?? 7);
const folder = mkdtempSync(join(tmpdir(), "policy-engine-validate-"));
try {
  const path = join(folder, "policies.yaml");
  const text = largeConfiguration({ routes: 1_000, chains: 200 });
  writeFileSync(path, text);
  const pairs = Array.from({ length: runs }, () => [timed("validate", "--strict", path), timed("--version")] as const);
  console.log(
    `1,000 routes, 200 chains, 1,000 steps, ${Math.round(text.length / 1024)} KiB; ${runs} runs, load ${loadavg()[0]?.toFixed(1)}`,
  );
  const whole = pairs.map(([validate]) => validate);
  report("validate", whole);
  report(
    "of it the start",
    pairs.map(([, start]) => start),
  );
  const median = sorted(whole, "processor")[Math.floor(runs / 2)] ?? Number.POSITIVE_INFINITY;
  process.exitCode = median <= limitMs ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** Throws when the command does not end with 0. */
function timed(...args: readonly string[]): Times {
  const sayTime = "process.on('exit', () => { const { user, system } = process.cpuUsage(); console.error('processor', user + system); })";
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(sayTime)}`, join(root, "bin/policy-engine.mjs"), ...args],
    { encoding: "utf8" },
  );
  const clock = performance.now() - started;
  const [, microseconds] = /^processor (\d+)$/m.exec(stderr) ?? [];
  if (status !== 0 || microseconds === undefined)
    throw new Error(`policy-engine ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return { clock, processor: Number(microseconds) / 1000 };
}

function report(what: string, times: readonly Times[]): void {
  const text = (kind: keyof Times): string => {
    const values = sorted(times, kind).map((value) => Math.round(value));
    return `min ${values[0]}, median ${values[Math.floor(values.length / 2)]}, max ${values.at(-1)}`;
  };
  console.log(`${what.padEnd(16)} processor ms: ${text("processor")}   clock ms: ${text("clock")}`);
}

function sorted(times: readonly Times[], kind: keyof Times): readonly number[] {
  return times.map((one) => one[kind]).sort((one, other) => one - other);
}
