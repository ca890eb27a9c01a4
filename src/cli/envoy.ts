import { availableParallelism } from "node:os";
import { Command, Option } from "commander";
import { formatProblems } from "../config/problems.ts";
import type { Settings } from "../config/settings.ts";
import type { PolicyRegistry } from "../config/types.ts";
import { workerCount } from "../config/workers.ts";
import { checkEnvoy } from "../envoy-config/check.ts";
import { type EnvoyDemands, envoyDemands } from "../envoy-config/demands.ts";
import { printEnvoy } from "../envoy-config/print.ts";
import type { Endpoint } from "../envoy-config/print-clusters.ts";
import type { MakeCommand } from "./command.ts";
import { readDocuments, readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";
import { offlineEnvironment, prepareOffline } from "./prepare-offline.ts";
import { printProblems, problemCount } from "./print-problems.ts";

interface Options {
  readonly settings: string;
  readonly check?: string;
  readonly upstream?: string;
  readonly json?: boolean;
}

const defaultUpstream = "127.0.0.1:8080";

export const envoyCommand: MakeCommand = (policies, exit) =>
  new Command("envoy")
    .description("Prints the Envoy configuration that fits settings and chains, or says what is wrong with one of your own.")
    .argument("[files...]", "configuration files or folders, merged; default: those of the settings' providers")
    .requiredOption("--settings <file>", "how the engine runs")
    .addOption(new Option("--check <file>", "checks this Envoy configuration instead of printing one").conflicts("upstream"))
    .option("--upstream <host:port>", `where requests go that are let through; default: ${defaultUpstream}`)
    .option("--json", "with --check, for machines: a list of problems")
    .addHelpText(
      "after",
      `
Examples:
  policy-engine envoy --settings configs/demo/settings.yaml --upstream 127.0.0.1:8080 > envoy.yaml
  policy-engine envoy --settings configs/demo/settings.yaml --check configs/demo/envoy.yaml`,
    )
    .action(async (files: string[], options: Options) => {
      const upstream = readEndpoint(options.upstream ?? defaultUpstream);
      if (options.json === true && options.check === undefined) throw new Error("--json goes with --check: what is printed is YAML");
      const settings = await readSettings(options.settings);
      const demands = settings && (await readDemands(files, settings, policies));
      if (demands === undefined) return exit(exitCodes.findings);
      if (options.check === undefined) {
        process.stdout.write(printEnvoy(demands, { upstream }));
        return;
      }
      const [document] = await readDocuments([options.check]);
      if (document === undefined) throw new Error(`there is no YAML file in ${options.check}`);
      const problems = checkEnvoy(document, demands);
      printProblems(problems, options);
      const failed = problems.some(({ severity }) => severity === "error");
      if (options.json !== true) process.stderr.write(`${failed ? "" : "fine: "}${problemCount(problems)}\n`);
      if (failed) exit(exitCodes.findings);
    });

/** Undefined when the configuration is refused; why has then been printed. */
async function readDemands(files: readonly string[], settings: Settings, policies: PolicyRegistry): Promise<EnvoyDemands | undefined> {
  const paths = files.length > 0 ? files : settings.providers.flatMap((provider) => (provider.kind === "file" ? provider.paths : []));
  if (paths.length === 0) throw new Error("the settings' providers read from elsewhere: name files or folders with the configuration");
  const result = await prepareOffline(await readDocuments(paths), offlineEnvironment(policies, settings.envoy));
  if ("problems" in result) {
    // Whoever reads standard output waits for something else.
    process.stderr.write(`${formatProblems(result.problems)}\nthe configuration is refused: nothing can be said about Envoy's\n`);
    return undefined;
  }
  const { config, chains, release } = result.prepared;
  const demands = envoyDemands({ ...settings, workers: workerCount(settings.workers, availableParallelism()) }, config, chains);
  release();
  return demands;
}

function readEndpoint(text: string): Endpoint {
  const [, ipv6, name, port] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || Number(port) > 65_535) throw new Error(`\`${text}\` is no HOST:PORT, such as 127.0.0.1:8080`);
  return { host, port: Number(port) };
}
