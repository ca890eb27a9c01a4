import { basename, dirname, join, resolve } from "node:path";
import { Command } from "commander";
import type { PolicyRegistry, PolicyRelease } from "../config/types.ts";
import { runCases } from "../testing/cases.ts";
import type { MakeCommand } from "./command.ts";
import { readDocuments } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";

export const testCommand: MakeCommand = (policies, exit) =>
  new Command("test")
    .description("Runs the cases.yaml of compiled-in policies, without Envoy.")
    .argument("[paths...]", "policy folders, such as policies/set-header/v1.0.0; default: every policy's")
    .addHelpText("after", "\nExample:\n  policy-engine test policies/set-header/v1.0.0")
    .action(async (paths: string[]) => {
      const folders = paths.length > 0 ? paths : [...policies.values()].map(({ source }) => source);
      let failed = 0;
      let passed = 0;
      for (const folder of folders) {
        const release = releaseOf(folder, policies);
        const [document] = await readDocuments([join(folder, "cases.yaml")]);
        if (document === undefined) continue;
        process.stdout.write(`${release.manifest.name}@${release.manifest.version}\n`);
        for (const { name, differences } of await runCases(document, release, policies)) {
          if (differences.length === 0) passed += 1;
          else failed += 1;
          process.stdout.write(`  ${differences.length === 0 ? "ok    " : "FAILED"} ${name}\n`);
          for (const difference of differences) process.stdout.write(`${difference.replace(/^/gm, "         ")}\n`);
        }
      }
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
      if (failed > 0) exit(exitCodes.findings);
    });

function releaseOf(folder: string, policies: PolicyRegistry): PolicyRelease {
  const key = `${basename(dirname(resolve(folder)))}@${basename(resolve(folder)).replace(/^v/, "")}`;
  const release = policies.get(key);
  if (release === undefined) throw new Error(`${key} is not compiled in: run \`npm run generate\` after adding a policy folder`);
  return release;
}
