import { Command, InvalidArgumentError } from "commander";
import { askAdmin } from "./ask-admin.ts";
import type { MakeCommand } from "./command.ts";
import { readSettings } from "./documents.ts";
import { exitCodes } from "./exit-codes.ts";

interface Options {
  readonly settings: string;
  readonly reason?: string;
  readonly json?: boolean;
}

export const rollbackCommand: MakeCommand = (_policies, exit) =>
  new Command("rollback")
    .description("Takes an earlier generation of the running engine into use again, until its providers deliver something new.")
    .argument("<generation>", "its number; a number that is not kept prints those that are", readNumber)
    .requiredOption("--settings <file>", "the settings of the running engine, for its admin port")
    .option("--reason <text>", "why, for the engine's log")
    .option("--json", "for machines: the engine's answer")
    .addHelpText("after", "\nExample:\n  policy-engine rollback 41 --settings configs/demo/settings.yaml --reason 'users cannot log in'")
    .action(async (generation: number, options: Options) => {
      const settings = await readSettings(options.settings);
      if (settings === undefined) return exit(exitCodes.findings);
      const path = `/generations/${generation}/rollback`;
      const { status, body } = await askAdmin(settings.admin, { method: "POST", path, body: { reason: options.reason } });
      const answer: Answer = Object(body);
      if (options.json === true) process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
      else (status === 200 ? process.stdout : process.stderr).write(`${describe(generation, answer)}\n`);
      if (status !== 200) exit(exitCodes.findings);
    });

function readNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("A generation is a whole number.");
  return Number(text);
}

interface Answer {
  readonly kind?: unknown;
  readonly error?: unknown;
  readonly generation?: unknown;
  readonly problems?: unknown;
  readonly kept?: unknown;
}

function describe(asked: number, { kind, error, generation, problems, kept }: Answer): string {
  if (kind === "accepted") return `generation ${generation} is in use: the documents of ${asked}, until a provider delivers something new`;
  if (kind === "unchanged") return `nothing has changed: generation ${generation}, in use, is the same`;
  if (kind === "refused") return `generation ${asked} cannot be used any more: ${listed(problems, problemLine)}`;
  if (kind === "unknown") return `generation ${asked} is not kept; these are: ${listed(kept, keptLine)}`;
  return `the engine refuses: ${error}`;
}

function listed(items: unknown, line: (item: Readonly<Record<string, unknown>>) => string): string {
  return Array.isArray(items) ? items.map((item) => `\n  ${line(Object(item))}`).join("") : "";
}

const problemLine = ({ at, code, message }: Readonly<Record<string, unknown>>): string => `${at}: ${code}: ${message}`;
const keptLine = ({ generation, since, reason, hash }: Readonly<Record<string, unknown>>): string =>
  `${generation}  since ${new Date(Number(since)).toISOString()}  ${reason}  ${String(hash).slice(0, 12)}`;
