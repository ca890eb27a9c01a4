import { Command } from "commander";
import { checkConfig } from "../config/check.ts";
import { formatProblems } from "../config/problems.ts";
import { createSchemaEngine } from "../config/schema-engine.ts";
import { defaultEnvoyPromises } from "../config/settings.ts";
import type { CheckEnvironment, SourceDocument } from "../config/types.ts";
import { createPolicyHost } from "../engine/policy-host.ts";
import type { Problem } from "../errors.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import { prepare } from "../generations/prepare.ts";
import { createSecrets, type Secrets } from "../generations/secrets.ts";
import { createLog } from "../observe/log.ts";
import { createPolicyCounters } from "../observe/policy-counters.ts";
import { createProbes } from "../observe/probes.ts";
import { createStepCounters } from "../observe/step-counters.ts";
import { createInstancePool } from "../worker/instances.ts";
import type { MakeCommand } from "./command.ts";
import { readDocuments, readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";

interface Options {
  readonly settings?: string;
  readonly bind?: boolean;
  readonly json?: boolean;
}

export const validateCommand: MakeCommand = (policies, exit) =>
  new Command("validate")
    .description("Says everything that is wrong with configuration files: what serve would refuse, without Envoy and without network.")
    .argument("<files...>", "configuration files or folders, merged")
    .option("--settings <file>", "checks against what these settings promise about Envoy; default: the settings' defaults")
    .option("--bind", "also runs each policy's create, which finds what only a policy knows")
    .option("--json", "for machines: a list of problems")
    .addHelpText("after", "\nExample:\n  policy-engine validate --bind --settings configs/demo/settings.yaml configs/demo/policies.yaml")
    .action(async (files: string[], options: Options) => {
      const settings = options.settings === undefined ? undefined : await readSettings(options.settings);
      if (options.settings !== undefined && settings === undefined) return exit(exitCodes.findings);
      const { engine: patterns, warning } = loadPatternEngine();
      if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
      const secrets = createSecrets(process.env);
      const environment: CheckEnvironment = {
        policies,
        schemas: createSchemaEngine(patterns),
        secret: secrets.read,
        envoy: settings?.envoy ?? defaultEnvoyPromises,
      };
      const problems = await findProblems(await readDocuments(files), environment, secrets, options);
      print(problems, options);
      if (problems.some(({ severity }) => severity === "error")) exit(exitCodes.findings);
    });

async function findProblems(
  documents: readonly SourceDocument[],
  environment: CheckEnvironment,
  { redact }: Secrets,
  { bind }: Options,
): Promise<readonly Problem[]> {
  if (bind !== true) {
    const checked = checkConfig(documents, environment);
    return "problems" in checked ? checked.problems : checked.config.warnings;
  }
  const log = createLog({ level: "error", redact, destination: process.stderr });
  const host = {
    ...createPolicyHost(log, { counters: createStepCounters(), policyCounters: createPolicyCounters(), probes: createProbes() }),
    // A policy whose background work has begun must not reach anybody from here.
    fetch: async () => Promise.reject(new Error("validate makes no calls")),
  };
  const result = await prepare(documents, { ...environment, instances: createInstancePool(host), redact });
  if ("problems" in result) return result.problems;
  result.prepared.release();
  return result.prepared.config.warnings;
}

function print(problems: readonly Problem[], { json, bind }: Options): void {
  if (json === true) {
    process.stdout.write(`${JSON.stringify(problems, undefined, 2)}\n`);
    return;
  }
  if (problems.length > 0) process.stdout.write(`${formatProblems(problems)}\n`);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const words = [count(errors, "problem"), ...(problems.length > errors ? [count(problems.length - errors, "warning")] : [])].join(", ");
  process.stderr.write(
    errors === 0 ? `fine${bind === true ? ", every policy was created" : ""}${problems.length > 0 ? `: ${words}` : ""}\n` : `${words}\n`,
  );
}

const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? "" : "s"}`;
