import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import type { TcpAddress } from "../config/addresses.ts";
import { parseDuration } from "../config/quantities.ts";
import { type Diagnosis, diagnose } from "../doctor/diagnose.ts";
import { formatDiagnosis } from "../doctor/format-diagnosis.ts";
import { outgoingFetch } from "../engine/outgoing-fetch.ts";
import { adminHost } from "./admin-host.ts";
import type { MakeCommand } from "./command.ts";
import { readSettings } from "./documents.ts";
import { readDemands } from "./envoy-demands.ts";
import { exitCodes } from "./exit-codes.ts";

interface Options {
  readonly settings: string;
  readonly envoyAdmin: URL;
  readonly engineAdmin?: readonly URL[];
  readonly watchFor: number;
  readonly probe?: readonly URL[];
  readonly expectStatus?: number;
  readonly json?: boolean;
}

const watchMaxMs = 3_600_000;

export const doctorCommand: MakeCommand = (policies, exit) =>
  new Command("doctor")
    .description(
      "Looks at a running Envoy and says whether it really asks the engine: its live configuration, its counters over a while, the engine's own. Changes nothing.",
    )
    .argument("[files...]", "configuration files or folders, merged; default: those of the settings' providers")
    .requiredOption("--settings <file>", "how the engine runs")
    .requiredOption("--envoy-admin <url>", "Envoy's admin port, such as http://127.0.0.1:9901", readUrl)
    .option("--engine-admin <url>", "an engine's admin port; once for each engine; default: the one of the settings", collectUrl)
    .option("--watch-for <duration>", "how long Envoy's counters are watched", readDuration, 10_000)
    .option("--probe <url>", "sends a GET that the chain must deny, through Envoy, without credentials; repeatable", collectUrl)
    .option("--expect-status <status>", "what the probes must be denied with; default: any 4xx", readStatus)
    .option("--json", "for machines: what was seen, and a list of findings")
    .addHelpText(
      "after",
      `
Example:
  policy-engine doctor --settings configs/demo/settings.yaml --envoy-admin http://127.0.0.1:9901 --probe http://127.0.0.1:10000/orders/1`,
    )
    .action(async (files: string[], options: Options) => {
      if (options.expectStatus !== undefined && options.probe === undefined) throw new Error("--expect-status goes with --probe");
      const settings = await readSettings(options.settings);
      const read = settings && (await readDemands(files, settings, policies));
      if (settings === undefined || read === undefined) return exit(exitCodes.findings);
      const waitMs = options.watchFor;
      process.stderr.write(`watching Envoy's counters for ${waitMs / 1000} s\n`);
      const diagnosis = await diagnose(
        {
          ...read,
          envoyAdmin: options.envoyAdmin,
          engineAdmins: options.engineAdmin ?? [adminUrl(settings.admin)],
          probes: (options.probe ?? []).map(({ href }) => ({ url: href, status: options.expectStatus })),
        },
        { fetch: outgoingFetch, waitMs, wait: () => sleep(waitMs) },
      );
      print(diagnosis, options);
      if (diagnosis.findings.some(({ severity }) => severity === "error")) exit(exitCodes.findings);
    });

function print(diagnosis: Diagnosis, { json }: Options): void {
  if (json === true) {
    process.stdout.write(`${JSON.stringify(diagnosis, undefined, 2)}\n`);
    return;
  }
  process.stdout.write(formatDiagnosis(diagnosis));
  const errors = diagnosis.findings.filter(({ severity }) => severity === "error").length;
  const warnings = diagnosis.findings.length - errors;
  process.stderr.write(`${errors === 0 ? "fine: " : ""}${errors} errors, ${warnings} warnings\n`);
}

function adminUrl({ host, port }: TcpAddress): URL {
  const reachable = adminHost(host);
  return new URL(`http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}/`);
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError("It is no http or https URL.");
  if (url.username !== "" || url.password !== "") throw new InvalidArgumentError("A URL without a name and a password.");
  return url;
}

const collectUrl = (text: string, before: readonly URL[] = []): readonly URL[] => [...before, readUrl(text)];

function readDuration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds > watchMaxMs) throw new InvalidArgumentError("A duration up to 1h, such as 10s.");
  return milliseconds;
}

function readStatus(text: string): number {
  if (!/^[2-5]\d\d$/.test(text)) throw new InvalidArgumentError("An HTTP status from 200 to 599.");
  return Number(text);
}
