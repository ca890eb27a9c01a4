// Proves what the project promises about itself, one line for each promise.
import { root } from "./cache.mjs";
import { codesAreDocumented } from "./checks/codes-are-documented.ts";
import { generatedFilesAreFresh } from "./checks/generated-files-are-fresh.ts";
import { policyFoldersAreComplete } from "./checks/policy-folders-are-complete.ts";
import { runTool } from "./checks/run-tool.ts";
import { sdkIsTypesOnly } from "./checks/sdk-is-types-only.ts";

/** What a check finds: one text for each fault. */
type Check = () => Promise<readonly string[]>;

const promises: readonly (readonly [string, Check])[] = [
  ["formatting, lint and import directions hold", () => runTool("biome", ["check", "--error-on-warnings", "--max-diagnostics=100"])],
  ["types compile at the strictest setting", () => runTool("tsc", ["--project", "."])],
  ["the SDK imports nothing and ships no runtime code", () => sdkIsTypesOnly(root)],
  ["generated files match their sources", () => generatedFilesAreFresh(root)],
  ["every policy folder is complete", () => policyFoldersAreComplete(root)],
  ["every error code is documented", () => codesAreDocumented(root)],
  ["no code and no dependency is unused", () => runTool("knip", [])],
  ["planted violations are caught", () => runTool("vitest", ["run", "tests/architecture"])],
];

let broken = 0;
for (const [promise, check] of promises) {
  const started = performance.now();
  const faults = await check().catch((error: unknown) => [error instanceof Error ? (error.stack ?? error.message) : String(error)]);
  console.log(`${faults.length === 0 ? "ok    " : "FAILED"}  ${promise} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  for (const fault of faults) console.log(fault.replace(/^/gm, "    "));
  if (faults.length > 0) broken += 1;
}
console.log(broken === 0 ? `all ${promises.length} promises hold` : `${broken} of ${promises.length} promises are broken`);
process.exitCode = broken === 0 ? 0 : 1;
