/** `kill -9` in each step of a swap: the next start serves a whole generation, the old one or the new one, and never anything else. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { type KillStep, killSteps } from "./kill-steps.ts";

const killsPerStep = 20;
/** From here on the new generation is the one on disk. */
const newFrom = killSteps.indexOf("give it its name");
const atOnce = 3;

const root = mkdtempSync(join(tmpdir(), "kill-points-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Starts, says what its traffic gets, and dies in this step of taking a configuration with this number. */
async function startAndDie(folder: string, step: KillStep, number: number): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "killed-engine.ts"), folder, step, String(number)], {
    // What is compiled once is compiled for all: each start then takes a third of a second.
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, "compiled") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
  const [said, complained, signal] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect([step, number, signal, complained]).toEqual([step, number, "SIGKILL", ""]);
  return said;
}

test(`${killSteps.length} steps, ${killsPerStep} kills each`, { timeout: 600_000 }, async () => {
  const waiting = [...killSteps.entries()];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await killIn(...next);
    }),
  );
});

async function killIn(index: number, step: KillStep): Promise<void> {
  const folder = join(root, String(index));
  expect(await startAndDie(folder, "bring its name to the disk", 0)).toBe("not-ready not-ready\n");
  for (let number = 1; number <= killsPerStep; number++) {
    const onDisk = index >= newFrom ? number - 1 : 0;
    expect([step, number, await startAndDie(folder, step, number)]).toEqual([step, number, `${onDisk} ${onDisk}\n`]);
  }
  const onDisk = index >= newFrom ? killsPerStep : 0;
  expect([step, await startAndDie(folder, "create", 99)]).toEqual([step, `${onDisk} ${onDisk}\n`]);
  // What was cut short is tidied away by the next start.
  expect(readdirSync(folder)).toEqual(["last-good-generation"]);
}
