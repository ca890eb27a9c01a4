import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { formatProblems } from "../config/problems.ts";
import { createSchemaEngine, type SchemaEngine } from "../config/schema-engine.ts";
import type { PolicyRegistry } from "../config/types.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import { runCases } from "../testing/cases.ts";
import { updateCases } from "../testing/update-cases.ts";
import { count, countText, reportJson, resultLines, type SuiteReport } from "./case-report.ts";
import { type CaseSuite, findCaseFiles, foldersBehind, openSuite } from "./case-suites.ts";
import type { MakeCommand } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { junitXml } from "./junit.ts";
import { rerunOnChange } from "./watch.ts";

interface Options {
  readonly filter?: string;
  readonly update?: boolean;
  readonly watch?: boolean;
  readonly junit?: string;
  readonly json?: boolean;
}

export const testCommand: MakeCommand = (policies, exit) =>
  new Command("test")
    .description("Runs cases of policies and of configurations, without Envoy and without network.")
    .argument("[paths...]", "case files, or folders with cases.yaml and *.cases.yaml; default: those of the policies that are compiled in")
    .option("--filter <text>", "runs only cases whose name contains this, in any case")
    .option("--update", "writes down what came out as what is expected, for cases that fail or expect nothing; read the difference")
    .option("--watch", "runs again after each change")
    .option("--junit <file>", "also writes the results as JUnit XML")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      `
Examples:
  policy-engine test policies/set-header/v1.0.0 --watch
  policy-engine test configs/demo/cases.yaml --filter "without a key"`,
    )
    .action(async (paths: string[], options: Options, command: Command) => {
      const files = await findCaseFiles(paths.length > 0 ? paths : [...policies.values()].map(({ source }) => source));
      const schemas = createSchemaEngine(loadPatternEngine().engine);
      if (options.watch === true) return rerunOnChange((await Promise.all(files.map((file) => foldersBehind(file, schemas)))).flat());
      const reports: SuiteReport[] = [];
      for (const file of files) {
        const report = await runFile(file, { policies, schemas, options });
        reports.push(report);
        if (options.json !== true) printReport(report);
      }
      const counts = count(reports);
      if (counts.passed + counts.failed + counts.unread === 0)
        command.error(`error: no case's name contains ${JSON.stringify(options.filter)}`);
      if (options.json === true) process.stdout.write(reportJson(reports));
      else process.stdout.write(`${countText(counts)}\n`);
      if (options.junit !== undefined) await writeFile(options.junit, junitXml(reports));
      if (counts.failed + counts.unread > 0) exit(exitCodes.findings);
    });

interface Run {
  readonly policies: PolicyRegistry;
  readonly schemas: SchemaEngine;
  readonly options: Options;
}

async function runFile(path: string, run: Run): Promise<SuiteReport> {
  const opened = await openSuite(path, run.policies, run.schemas);
  if ("problems" in opened) return { uri: path, results: [], problems: opened.problems };
  const report = await runSuite(opened.suite, run);
  if (run.options.update !== true) return report;
  const failed = report.results.filter(({ differences }) => differences.some(({ path: at }) => at.startsWith("expect")));
  if (failed.length === 0) return report;
  await writeFile(path, updateCases(opened.suite.document.text, new Map(failed.map(({ name, outcome }) => [name, outcome]))));
  process.stderr.write(`${path}: ${failed.length} updated\n`);
  return runFile(path, { ...run, options: { ...run.options, update: false } });
}

async function runSuite({ document, file, subject }: CaseSuite, { policies, options: { filter = "" } }: Run): Promise<SuiteReport> {
  const chosen = ({ name }: { readonly name: string }): boolean => name.toLowerCase().includes(filter.toLowerCase());
  return { uri: document.uri, results: await runCases(file, subject, { policies, chosen }), problems: [] };
}

function printReport({ uri, results, problems }: SuiteReport): void {
  if (problems.length > 0) process.stdout.write(`${formatProblems(problems)}\n`);
  else if (results.length > 0) process.stdout.write(`${[uri, ...results.flatMap(resultLines)].join("\n")}\n`);
}
