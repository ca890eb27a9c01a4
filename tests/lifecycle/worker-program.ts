/**
 * The program with policies that only a test wants, and with deadlines that a test can wait for. `trap`: its `create` hangs in the process that
 * finds the file `TRAP_FILE`, and takes it away. `dies`: its `create` ends the process. `who`: the answer says which process it was. `burn`: it
 * computes for as long as `x-burn-ms` says.
 */
import { unlinkSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { readSettingsFile } from "../../src/cli/documents.ts";
import { main } from "../../src/cli/main.ts";
import { policies as shipped } from "../../src/generated/registry.ts";
import { forkWorkers } from "../../src/processes/fork-worker.ts";
import { superviseWorkers } from "../../src/processes/supervise.ts";
import { createdPolicies } from "../support/code-policy.ts";

const [, program = "", command = "", ...rest] = process.argv;

let trapped = false;

const policies = new Map([
  ...shipped,
  ...createdPolicies({
    trap() {
      while (hasTrap());
      return { request: () => {} };
    },
    dies: () => process.exit(1),
    who: () => ({ request: () => {}, response: ({ response }) => response.headers.set("x-worker", String(process.pid)) }),
    burn: () => ({
      request({ request }) {
        const until = performance.now() + Number(request.headers.get("x-burn-ms") ?? 0);
        while (performance.now() < until);
      },
    }),
  }),
]);

const [, settingsPath = ""] = rest;
const file = command === "serve" ? await readSettingsFile(settingsPath) : undefined;
if (file === undefined || file.settings.workers === 1) {
  process.exitCode = await main([command, ...rest], policies);
} else {
  const supervisor = await superviseWorkers({
    settings: file.settings,
    source: { settings: file.document, directory: dirname(settingsPath) },
    workers: Number(file.settings.workers),
    fork: forkWorkers(program),
    policies,
    environment: process.env,
    deadlines: { prepareMs: 5_000, pulseMs: 500, hangMs: 8_000 },
  });
  process.on("SIGTERM", () => void supervisor.stop());
  process.on("SIGUSR2", () => void supervisor.replaceWorkers());
}

/** True for ever in the process that has found the file. */
function hasTrap(): boolean {
  if (trapped) return true;
  try {
    unlinkSync(process.env.TRAP_FILE ?? "");
    trapped = true;
  } catch {
    // Somebody else has found it, or nobody has set one.
  }
  return trapped;
}
