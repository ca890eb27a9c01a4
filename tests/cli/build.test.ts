/** The command on top of the builder: options, exit codes, what is printed where. */
import { execFile } from "node:child_process";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { expect, test, vi } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { type Files, folderWith, tinyPolicy } from "../builder/support.ts";

// A build is several processes, which a busy machine lets wait.
vi.setConfig({ testTimeout: 120_000 });

const tiny: Files = { "distribution.yaml": "name: tiny\nversion: 1.0.0\npolicies: [{ folder: policies }]\n", ...tinyPolicy("greet") };

test("chosen steps, as a line each for people, and as an event a line for machines", async () => {
  const folder = await folderWith(tiny);
  const people = await run(folder, {}, "--only", "validate");
  expect(people).toMatchObject({ code: 0, stdout: "" });
  expect(people.stderr.replace(/[\d.]+ s/g, "N s").replace(/ +/g, " ")).toBe(
    "ok discover N s 1 policy, no lock yet\nok validate N s nothing is wrong with them\nskipped generate\n",
  );
  const machines = await run(folder, {}, "--only", "validate", "--json");
  const events = machines.stdout
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  expect(events.map(({ event, step, exitCode }) => [event, step, exitCode])).toEqual([
    ["started", "discover", undefined],
    ["finished", "discover", 0],
    ["started", "validate", undefined],
    ["finished", "validate", 0],
    ["skipped", "generate", undefined],
  ]);
});

test("a whole build writes the distribution and the lock; what is left out is not done", async () => {
  const folder = await folderWith(tiny);
  expect(await run(folder, {}, "--out", "out", "--skip", "types", "self-test")).toMatchObject({ code: 0, stdout: "" });
  for (const file of ["out/policy-engine.mjs", "distribution.lock"]) await access(join(folder, file));
  const without = await run(folder, {}, "--out", "other", "--skip", "bundle");
  expect(without.code).toBe(0);
  await expect(access(join(folder, "other"))).rejects.toThrow("ENOENT");
});

test("a distribution says which Node it needs", async () => {
  const folder = await folderWith(tiny);
  expect(await run(folder, {}, "--out", "out", "--skip", "types", "self-test")).toMatchObject({ code: 0 });
  await writeFile(join(folder, "old.mjs"), oldNode);
  // What an old Node does not get past: an import of something it lacks.
  await writeFile(join(folder, "out/engine.mjs"), 'import { notInOldNode } from "node:zlib";\n');
  const program = join(folder, "out/policy-engine.mjs");
  expect(await node(folder, {}, "--import", "./old.mjs", program, "list")).toEqual({
    code: 2,
    stdout: "",
    stderr: "policy-engine: Node 20.20.2 is too old: use Node 22.22 or newer (24 is best)\n",
  });
});

const oldNode = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });\n`;

test("findings are exit code 1 and on standard output, misuse is 2", async () => {
  const folder = await folderWith({ ...tiny, "distribution.yaml": "name: tiny\n" });
  const refused = await run(folder, {});
  expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("distribution.yaml:1:1: error[missing-key]") });
  expect(refused.stderr).toMatch(/^FAILED {2}discover/m);
  for (const args of [
    ["--only", "nonsense"],
    ["--locked", "--update"],
    ["--only", "bundle", "--skip", "types"],
  ]) {
    expect(await run(folder, {}, ...args)).toMatchObject({ code: 2, stdout: "" });
  }
});

test("under CI the lock is enforced, unless it is to be renewed", async () => {
  const folder = await folderWith(tiny);
  const steps = ["--only", "generate"];
  expect(await run(folder, { CI: "true" }, ...steps)).toMatchObject({ code: 1, stdout: expect.stringContaining("error[lock-missing]") });
  expect(await run(folder, { CI: "true" }, ...steps, "--update")).toMatchObject({ code: 0 });
  expect(await run(folder, { CI: "true" }, ...steps)).toMatchObject({ code: 0 });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(folder: string, environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
  return node(folder, environment, join(root, "bin/policy-engine.mjs"), "build", ...args);
}

function node(folder: string, environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, CI: "", POLICY_ENGINE_CACHE: join(folder, "cache"), ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}
