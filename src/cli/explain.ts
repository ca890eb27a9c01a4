import { readFile } from "node:fs/promises";
import { styleText } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import { checkConfig } from "../config/check.ts";
import { formatProblems } from "../config/problems.ts";
import { defaultEnvoyPromises, type Settings } from "../config/settings.ts";
import type { Problem } from "../errors.ts";
import { compareExplained, formatComparison } from "../explain/compare-explained.ts";
import { type Explained, explainExchange } from "../explain/explain-exchange.ts";
import { formatExplained, formatExplanation, formatSummary, type Paint, plain } from "../explain/format-explained.ts";
import { type ExplainRequest, parseRequest, type WrittenRequest } from "../explain/request-file.ts";
import type { Decision } from "../worker/explanation.ts";
import { askAdmin } from "./ask-admin.ts";
import type { MakeCommand } from "./command.ts";
import { readDocuments, readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";
import { type OfflineEnvironment, offlineEnvironment, offlineHost } from "./prepare-offline.ts";

interface Options {
  readonly config?: readonly string[];
  readonly route?: string;
  readonly request?: string;
  readonly whatIf?: readonly string[];
  readonly settings?: string;
  readonly now?: string;
  readonly id?: string;
  readonly json?: boolean;
}

const help = `
With --config nothing runs but this command: no Envoy, no engine, no network. Without it the running engine of --settings explains the exchange with
the configuration in use, beside its traffic. Outgoing calls are answered only from \`calls\` of the request file; a key set too is such a call.

A request file is YAML or JSON, with the keys of a case: route, now, random, calls, request, response.

Examples:
  policy-engine explain --config configs/demo/policies.yaml --route orders --request request.yaml
  policy-engine explain --config policies.yaml --what-if policies.new.yaml --route orders
  policy-engine explain --id 0b6f7d53-58f1-4f4e-a7c5-6f2b8f7f2d0e --settings configs/demo/settings.yaml`;

export const explainCommand: MakeCommand = (policies, exit) =>
  new Command("explain")
    .description("Says what happens to a request and why: the chain, each step with its condition and changes, and what Envoy is told.")
    .option("--config <files...>", "configuration files or folders, merged; default: the configuration in use of the engine of --settings")
    .option("--route <name>", "Envoy's name of the route; default: the request file's")
    .option("--request <file>", "the request, the response and the calls; default: `GET /` and an empty 200")
    .option("--what-if <files...>", "explains it under this configuration too, and shows only what differs")
    .option("--settings <file>", "what Envoy promises; of a running engine, its admin port")
    .option("--now <time>", "where the clock stands still, RFC 3339 in UTC; default: the request file's, else the present", readTime)
    .option("--id <id>", "what the running engine knows of a recent exchange: `x-decision-id` of its answer, or Envoy's `x-request-id`")
    .option("--json", "for machines, see schemas/explanation.schema.json")
    .addHelpText("after", help)
    .action(async (options: Options) => {
      const settings = options.settings === undefined ? undefined : await readSettings(options.settings);
      if (options.settings !== undefined && settings === undefined) return exit(exitCodes.findings);
      const { config, whatIf, id } = options;
      if (id !== undefined) return exit(await printDecision(id, runningEngine(settings, "--id"), options));
      const environment = offlineEnvironment(policies, settings?.envoy ?? { ...defaultEnvoyPromises, allowModeOverride: true });
      const request = await readRequest(options, environment);
      if (request === undefined) return exit(exitCodes.findings);
      if (config === undefined) {
        if (whatIf !== undefined) throw new Error("--what-if compares with the configuration of --config");
        return exit(await printFromEngine(request, runningEngine(settings, "without --config"), options));
      }
      const explained = await explainFiles(config, request, environment);
      const other = whatIf === undefined ? undefined : await explainFiles(whatIf, request, environment);
      if (explained === undefined || (whatIf !== undefined && other === undefined)) return exit(exitCodes.findings);
      print(explained, other, options);
    });

function readTime(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(text) || Number.isNaN(Date.parse(text))) {
    throw new InvalidArgumentError("Write it as 2026-01-01T00:00:00Z.");
  }
  return text;
}

function runningEngine(settings: Settings | undefined, why: string): Settings {
  if (settings === undefined) throw new Error(`${why} a running engine is asked: name its settings with --settings`);
  return settings;
}

/** Undefined when something is wrong with it, which has then been printed. */
async function readRequest({ request: path, route, now }: Options, { schemas }: OfflineEnvironment): Promise<ExplainRequest | undefined> {
  let written: WrittenRequest = {};
  if (path !== undefined) {
    const parsed = parseRequest({ uri: path, text: await readFile(path, "utf8") }, schemas);
    if ("problems" in parsed) return refuse(parsed.problems);
    written = parsed.request;
  }
  const named = route ?? written.route;
  if (named === undefined) throw new Error("name the route: --route, or `route` in the request file");
  return { ...written, route: named, ...(now === undefined ? {} : { now }) };
}

async function explainFiles(
  paths: readonly string[],
  request: ExplainRequest,
  environment: OfflineEnvironment,
): Promise<Explained | undefined> {
  const checked = checkConfig(await readDocuments(paths), environment);
  if ("problems" in checked) return refuse(checked.problems);
  const { secrets, envoy } = environment;
  const explained = await explainExchange(checked.config, request, { ...offlineHost(secrets), envoy, redact: secrets.redact });
  return "problems" in explained ? refuse(explained.problems) : explained;
}

function refuse(problems: readonly Problem[]): undefined {
  process.stderr.write(`${formatProblems(problems)}\n`);
}

function print(explained: Explained, other: Explained | undefined, options: Options): void {
  const changes = other && compareExplained(explained, other);
  if (options.json === true) printJson(changes === undefined ? explained : { differences: changes });
  else process.stdout.write(changes === undefined ? formatExplained(explained, paint()) : formatComparison(changes, paint()));
}

async function printFromEngine(request: ExplainRequest, { admin }: Settings, options: Options): Promise<number> {
  const { status, body } = await askAdmin(admin, { method: "POST", path: "/explain", body: request });
  if (status !== 200) return printRefusal(body);
  print(Object(body), undefined, options);
  return exitCodes.fine;
}

async function printDecision(id: string, { admin }: Settings, options: Options): Promise<number> {
  const { status, body } = await askAdmin(admin, { method: "GET", path: `/decisions/${encodeURIComponent(id)}` });
  if (status !== 200) return printRefusal(body);
  const decision: Decision = Object(body);
  if (options.json === true) printJson(decision);
  else if (decision.detail === "timeline") process.stdout.write(formatExplanation(decision, paint()));
  else {
    process.stdout.write(formatSummary(decision, paint()));
    process.stderr.write("only the summary is kept: with `recording` in the engine's settings there is a timeline\n");
  }
  return exitCodes.fine;
}

function printRefusal(body: unknown): number {
  const { error, problems }: { readonly error?: unknown; readonly problems?: unknown } = Object(body);
  const lines = Array.isArray(problems) ? problems.map((one) => problemLine(Object(one))) : [String(error)];
  process.stderr.write(`the engine: ${lines.join("\n  ")}\n`);
  return exitCodes.findings;
}

const problemLine = ({ at, code, message }: Readonly<Record<string, unknown>>): string => `${at}: ${code}: ${message}`;

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** `styleText` leaves colours out itself where NO_COLOR or the terminal asks for that. */
function paint(): Paint {
  if (!process.stdout.isTTY) return plain;
  return {
    strong: (text) => styleText("bold", text),
    good: (text) => styleText("green", text),
    bad: (text) => styleText("red", text),
    faint: (text) => styleText("dim", text),
  };
}
