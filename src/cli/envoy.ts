import { Command, Option } from "commander";
import { checkEnvoy } from "../envoy-config/check.ts";
import { printEnvoy } from "../envoy-config/print.ts";
import type { Endpoint } from "../envoy-config/print-clusters.ts";
import type { MakeCommand } from "./command.ts";
import { readDocuments, readSettings } from "./documents.ts";
import { readDemands } from "./envoy-demands.ts";
import { exitCodes } from "./exit-codes.ts";
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
      const read = settings && (await readDemands(files, settings, policies));
      if (read === undefined) return exit(exitCodes.findings);
      const { demands } = read;
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

function readEndpoint(text: string): Endpoint {
  const [, ipv6, name, port] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || Number(port) > 65_535) throw new Error(`\`${text}\` is no HOST:PORT, such as 127.0.0.1:8080`);
  return { host, port: Number(port) };
}
