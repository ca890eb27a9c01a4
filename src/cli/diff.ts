import { Command } from "commander";
import { formatProblems } from "../config/problems.ts";
import { defaultEnvoyPromises } from "../config/settings.ts";
import { countDifferences, diffConfigs } from "../diff/diff-configs.ts";
import type { EnvoySide } from "../diff/diff-envoy.ts";
import { formatDiff } from "../diff/format-diff.ts";
import { chainDemands } from "../envoy-config/demands.ts";
import type { MakeCommand } from "./command.ts";
import { readDocuments, readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";
import { type OfflineEnvironment, offlineEnvironment, prepareOffline } from "./prepare-offline.ts";

interface Options {
  readonly settings?: string;
  readonly json?: boolean;
}

export const diffCommand: MakeCommand = (policies, exit) =>
  new Command("diff")
    .description(
      "Says what a change of the configuration means: protection first, then routes, chains, steps, and what Envoy needs. Ends with 0 when both do the same, 1 when not, 2 when one of them is refused.",
    )
    .argument("<old>", "a configuration file or folder")
    .argument("<new>", "a configuration file or folder")
    .option("--settings <file>", "what Envoy does without being asked; default: it obeys overrides")
    .option("--json", "for machines")
    .addHelpText("after", "\nExample:\n  policy-engine diff policies.yaml policies.new.yaml")
    .action(async (from: string, to: string, options: Options) => {
      const settings = options.settings === undefined ? undefined : await readSettings(options.settings);
      if (options.settings !== undefined && settings === undefined) return exit(exitCodes.misuse);
      // Without settings nothing is refused because of what they would have to promise.
      const promises = settings?.envoy ?? { ...defaultEnvoyPromises, allowModeOverride: true };
      const environment = offlineEnvironment(policies, promises);
      const before = await readSide(from, environment);
      const after = await readSide(to, environment);
      if (before === undefined || after === undefined) return exit(exitCodes.misuse);
      const diff = diffConfigs(before, after, promises);
      const count = countDifferences(diff);
      process.stdout.write(options.json === true ? `${JSON.stringify(diff, undefined, 2)}\n` : formatDiff(diff));
      if (options.json !== true)
        process.stderr.write(count === 0 ? "both do the same\n" : `${count} difference${count === 1 ? "" : "s"}\n`);
      if (count > 0) exit(exitCodes.findings);
    });

/** Undefined when the configuration is refused; why has then been printed. */
async function readSide(path: string, environment: OfflineEnvironment): Promise<EnvoySide | undefined> {
  const result = await prepareOffline(await readDocuments([path]), environment);
  if ("problems" in result) {
    process.stderr.write(`${formatProblems(result.problems)}\n${path} is refused: nothing can be said about it\n`);
    return undefined;
  }
  const { config, chains, release } = result.prepared;
  const demands = chainDemands(config, chains, environment.envoy.bodyBytesMax);
  release();
  return { config, demands };
}
