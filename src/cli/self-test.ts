import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { Command } from "commander";
import { loadPatternEngine } from "../expressions/patterns.ts";
import { type SelfTestEvent, selfTest } from "../testing/self-test.ts";
import type { MakeCommand } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

interface Options {
  readonly metadata?: string;
  readonly only?: readonly string[];
  readonly cases?: string;
  readonly json?: boolean;
}

export const selfTestCommand: MakeCommand = (policies, exit) =>
  new Command("self-test")
    .description("Proves that the policies that are compiled in work here: each is created with the examples of its manifest and closed.")
    .option("--cases <folder>", "also runs NAME/vVERSION/cases.yaml below this folder")
    .option("--metadata <file>", "JSON: schemas of shared metadata that policies elsewhere write, by key")
    .option("--only <policy...>", "tests these, such as set-header@2.0.0; `none` only starts and lists")
    .option("--json", "for machines: one event a line")
    .addHelpText("after", "\nExample:\n  policy-engine self-test --cases policies")
    .action(async ({ metadata, only, cases, json }: Options) => {
      const { warning } = loadPatternEngine();
      if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
      let tested = "";
      let failed = false;
      const report = (event: Event): void => {
        if (event.event === "testing") tested = event.policy;
        if (event.event === "failed" || event.event === "uncaught") failed = true;
        const text = json === true ? JSON.stringify(event) : lineFor(event);
        if (text !== "") process.stdout.write(`${text}\n`);
      };
      const uncaught = (error: unknown): void => report({ event: "uncaught", policy: tested, detail: inspect(error) });
      process.on("uncaughtException", uncaught);
      process.on("unhandledRejection", uncaught);
      for (const [policy, { hash }] of policies) report({ event: "listed", policy, hash });
      await selfTest(policies, {
        report,
        metadata: metadata === undefined ? {} : JSON.parse(await readFile(metadata, "utf8")),
        chosen: (policy) => only === undefined || only.includes(policy),
        cases: async ({ manifest: { name, version } }) => {
          if (cases === undefined) return undefined;
          const path = join(cases, name, `v${version}`, "cases.yaml");
          const text = await readFile(path, "utf8").catch(() => undefined);
          return text === undefined ? undefined : { uri: path, text };
        },
      });
      if (failed) exit(exitCodes.findings);
    });

type Event =
  | SelfTestEvent
  /** Compiled in, with the hash of what it runs as. */
  | { readonly event: "listed"; readonly policy: string; readonly hash: string }
  /** Thrown or rejected where nobody catches it. */
  | { readonly event: "uncaught"; readonly policy: string; readonly detail: string };

function lineFor(event: Event): string {
  switch (event.event) {
    case "listed":
    case "testing":
      return "";
    case "passed":
      return `ok      ${event.policy}${event.bound ? "" : ", not created: its examples need what is not here"}, ${event.cases} cases`;
    case "failed":
      return `FAILED  ${event.policy}: ${event.detail}`;
    case "uncaught":
      return `FAILED  ${event.policy}: nobody caught ${event.detail}`;
  }
}
