import { Command } from "commander";
import { checkConfig } from "../config/check.ts";
import { defaultEnvoyPromises } from "../config/settings.ts";
import type { SourceDocument } from "../config/types.ts";
import type { Problem } from "../errors.ts";
import type { MakeCommand } from "./command.ts";
import { readDocuments, readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";
import { type OfflineEnvironment, offlineEnvironment, prepareOffline } from "./prepare-offline.ts";
import { printProblems, problemCount } from "./print-problems.ts";

interface Options {
  readonly settings?: string;
  readonly bind?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

export const validateCommand: MakeCommand = (policies, exit) =>
  new Command("validate")
    .description("Says everything that is wrong with configuration files: what serve would refuse, without Envoy and without network.")
    .argument("<files...>", "configuration files or folders, merged")
    .option("--settings <file>", "checks against what these settings promise about Envoy; default: the settings' defaults")
    .option("--bind", "also runs each policy's create, which finds what only a policy knows")
    .option("--strict", "ends with 1 on warnings too")
    .option("--json", "for machines: a list of problems")
    .addHelpText("after", "\nExample:\n  policy-engine validate --bind --settings configs/demo/settings.yaml configs/demo/policies.yaml")
    .action(async (files: string[], options: Options) => {
      const settings = options.settings === undefined ? undefined : await readSettings(options.settings);
      if (options.settings !== undefined && settings === undefined) return exit(exitCodes.findings);
      const environment = offlineEnvironment(policies, settings?.envoy ?? defaultEnvoyPromises);
      const problems = await findProblems(await readDocuments(files), environment, options);
      printProblems(problems, options);
      if (options.json !== true) process.stderr.write(`${summary(problems, options)}\n`);
      if (isFailure(problems, options)) exit(exitCodes.findings);
    });

async function findProblems(
  documents: readonly SourceDocument[],
  environment: OfflineEnvironment,
  { bind }: Options,
): Promise<readonly Problem[]> {
  if (bind !== true) {
    const checked = checkConfig(documents, environment);
    return "problems" in checked ? checked.problems : checked.config.warnings;
  }
  const result = await prepareOffline(documents, environment);
  if ("problems" in result) return result.problems;
  result.prepared.release();
  return result.prepared.config.warnings;
}

function summary(problems: readonly Problem[], options: Options): string {
  if (isFailure(problems, options)) return problemCount(problems);
  return `fine${options.bind === true ? ", every policy was created" : ""}${problems.length > 0 ? `: ${problemCount(problems)}` : ""}`;
}

/** Warnings stop nothing, unless somebody asks for it. */
function isFailure(problems: readonly Problem[], { strict }: Options): boolean {
  return problems.some(({ severity }) => severity === "error" || strict === true);
}
