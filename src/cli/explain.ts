import { readFile } from "node:fs/promises";
import { styleText } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import { checkConfig } from "../config/check.ts";
import { formatProblems } from "../config/problems.ts";
import { defaultEnvoyPromises } from "../config/settings.ts";
import type { ValueChange } from "../diff/diff-values.ts";
import type { Problem } from "../errors.ts";
import { compareExplained, formatComparison, formatComparisons } from "../explain/compare-explained.ts";
import { type ExchangeTitle, exchangeTitle, titleOf } from "../explain/exchange-title.ts";
import { type Explained, explainExchange } from "../explain/explain-exchange.ts";
import { formatExplained, formatExplanation, formatSummary, type Paint, plain } from "../explain/format-explained.ts";
import { type ExplainRequest, parseRequestFile, type RequestFile } from "../explain/request-file.ts";
import type { Decision } from "../worker/explanation.ts";
import type { MakeCommand } from "./command.ts";
import { readDocuments, readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";
import { explainedByEngine, keptDecision, runningEngine } from "./explain-running.ts";
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

A request file is YAML or JSON, with the keys of a case: route, now, random, calls, request, response; or a list of such requests, each with a
\`name\` if you like. Each is explained on its own: none sees what another one has left, such as a limit's count.

Examples:
  policy-engine explain --config configs/demo/policies.yaml --route orders --request request.yaml
  policy-engine explain --config policies.yaml --what-if policies.new.yaml --route orders
  policy-engine explain --id 0b6f7d53-58f1-4f4e-a7c5-6f2b8f7f2d0e --settings configs/demo/settings.yaml`;

export const explainCommand: MakeCommand = (policies, exit) =>
  new Command("explain")
    .description("Says what happens to a request and why: the chain, each step with its condition and changes, and what Envoy is told.")
    .option("--config <files...>", "configuration files or folders, merged; default: the configuration in use of the engine of --settings")
    .option("--route <name>", "Envoy's name of the route; default: the request file's")
    .option("--request <file>", "the request, the response and the calls, or a list of such; default: `GET /` and an empty 200")
    .option("--what-if <files...>", "explains it under this configuration too, and shows only what differs, and of several which")
    .option("--settings <file>", "what Envoy promises; of a running engine, its admin port")
    .option("--now <time>", "where the clock stands still, RFC 3339 in UTC; default: the request file's, else the present", readTime)
    .option("--id <id>", "what the running engine knows of a recent exchange: `x-decision-id` of its answer, or Envoy's `x-request-id`")
    .option("--json", "for machines, see schemas/explanation.schema.json")
    .addHelpText("after", help)
    .action(async (options: Options) => {
      const settings = options.settings === undefined ? undefined : await readSettings(options.settings);
      if (options.settings !== undefined && settings === undefined) return exit(exitCodes.findings);
      const { config, whatIf, id, json } = options;
      if (id !== undefined) {
        const decision = await keptDecision(id, runningEngine(settings, "--id"));
        return decision === undefined ? exit(exitCodes.findings) : printDecision(decision, json);
      }
      if (config === undefined && whatIf !== undefined) throw new Error("--what-if compares with the configuration of --config");
      const environment = offlineEnvironment(policies, settings?.envoy ?? { ...defaultEnvoyPromises, allowModeOverride: true });
      const asked = await readRequests(options, environment);
      if (asked === undefined) return exit(exitCodes.findings);
      const inUse = config === undefined ? runningEngine(settings, "without --config") : undefined;
      const explain =
        inUse === undefined ? await explainerOf(config ?? [], environment) : (one: ExplainRequest) => explainedByEngine(one, inUse);
      const explainOther = whatIf === undefined ? undefined : await explainerOf(whatIf, environment);
      if (explain === undefined || (whatIf !== undefined && explainOther === undefined)) return exit(exitCodes.findings);

      const results: ExplainedOne[] = [];
      for (const request of asked.requests) {
        const explained = await explain(request);
        const other = await explainOther?.(request);
        if (explained === undefined || (explainOther !== undefined && other === undefined)) return exit(exitCodes.findings);
        results.push({ title: titleOf(request, explained), explained, differences: other && compareExplained(explained, other) });
      }
      const [only] = results;
      if (asked.several || only === undefined) printSeveral(results, json);
      else printOne(only, json);
    });

/** An exchange that was explained, and what differs under the configuration of --what-if. */
interface ExplainedOne {
  readonly title: ExchangeTitle;
  readonly explained: Explained;
  readonly differences: readonly ValueChange[] | undefined;
}

function readTime(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(text) || Number.isNaN(Date.parse(text))) {
    throw new InvalidArgumentError("Write it as 2026-01-01T00:00:00Z.");
  }
  return text;
}

/** Undefined when something is wrong with them, which has then been printed. */
async function readRequests({ request: path, route, now }: Options, { schemas }: OfflineEnvironment): Promise<AskedRequests | undefined> {
  const file = path === undefined ? oneRequest : parseRequestFile({ uri: path, text: await readFile(path, "utf8") }, schemas);
  if ("problems" in file) return refuse(file.problems);
  if (file.requests.length === 0) throw new Error(`${path} names no request`);
  const requests = file.requests.map((written) => {
    const named = route ?? written.route;
    if (named === undefined) throw new Error("name the route: --route, or `route` of each request in the request file");
    return { ...written, route: named, ...(now === undefined ? {} : { now }) };
  });
  return { requests, several: file.several };
}

interface AskedRequests {
  readonly requests: readonly ExplainRequest[];
  readonly several: boolean;
}

const oneRequest: RequestFile = { requests: [{}], several: false };

/** Explains by the configuration of these files. Undefined when something is wrong with it, which has then been printed. */
async function explainerOf(
  paths: readonly string[],
  environment: OfflineEnvironment,
): Promise<((request: ExplainRequest) => Promise<Explained | undefined>) | undefined> {
  const checked = checkConfig(await readDocuments(paths), environment);
  if ("problems" in checked) return refuse(checked.problems);
  const { secrets, envoy } = environment;
  return async (request) => {
    const explained = await explainExchange(checked.config, request, { ...offlineHost(secrets), envoy, redact: secrets.redact });
    return "problems" in explained ? refuse(explained.problems) : explained;
  };
}

function refuse(problems: readonly Problem[]): undefined {
  process.stderr.write(`${formatProblems(problems)}\n`);
}

function printOne({ explained, differences }: ExplainedOne, json = false): void {
  if (json) printJson(differences === undefined ? explained : { differences });
  else process.stdout.write(differences === undefined ? formatExplained(explained, paint()) : formatComparison(differences, paint()));
}

function printSeveral(results: readonly ExplainedOne[], json = false): void {
  const compared = results.flatMap(({ title, differences }) => (differences === undefined ? [] : [{ ...title, differences }]));
  const isComparison = compared.length > 0;
  if (json) printJson({ exchanges: isComparison ? compared : results.map(({ title, explained }) => ({ ...title, ...explained })) });
  else if (isComparison) process.stdout.write(formatComparisons(compared, paint()));
  else
    process.stdout.write(
      results.map(({ title, explained }) => `== ${exchangeTitle(title)}\n${formatExplained(explained, paint())}`).join("\n"),
    );
}

function printDecision(decision: Decision, json = false): void {
  if (json) printJson(decision);
  else if (decision.detail === "timeline") process.stdout.write(formatExplanation(decision, paint()));
  else {
    process.stdout.write(formatSummary(decision, paint()));
    process.stderr.write("only the summary is kept: with `recording` in the engine's settings there is a timeline\n");
  }
}

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
