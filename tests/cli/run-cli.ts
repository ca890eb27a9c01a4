import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs `policy-engine` as it is in this checkout, from its root. */
export function runCli(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["bin/policy-engine.mjs", ...args], { cwd: root, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** The path of a file with this text, which is gone when the test has finished. */
export function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "policy-engine-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "file.yaml"), text);
  return join(folder, "file.yaml");
}
