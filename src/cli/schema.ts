import { Argument, Command } from "commander";
import type { JsonSchema, PolicyRegistry } from "../config/types.ts";
import { casesSchema } from "../editor-schemas/cases.ts";
import { configSchema } from "../editor-schemas/config.ts";
import { distributionSchema } from "../editor-schemas/distribution.ts";
import { explanationSchema, requestSchema } from "../editor-schemas/explanation.ts";
import { manifestSchema } from "../editor-schemas/manifest.ts";
import { settingsSchema } from "../editor-schemas/settings.ts";
import type { MakeCommand } from "./command.ts";

const schemas = {
  config: (policies: PolicyRegistry) => configSchema([...policies.values()].map(({ manifest }) => manifest)),
  settings: () => settingsSchema,
  cases: () => casesSchema,
  manifest: () => manifestSchema,
  distribution: () => distributionSchema,
  request: () => requestSchema,
  explanation: () => explanationSchema,
} as const satisfies Readonly<Record<string, (policies: PolicyRegistry) => JsonSchema>>;

type Document = keyof typeof schemas;

export const schemaCommand: MakeCommand = (policies) =>
  new Command("schema")
    .description(
      "Prints the JSON Schema of a document, for editors. That of a configuration knows the parameters of every policy that is compiled in.",
    )
    .addArgument(
      new Argument(
        "[document]",
        "config: chains and routes; settings; cases: cases.yaml; manifest: policy.yaml; distribution: distribution.yaml; request: what explain takes; explanation: what it prints with --json",
      )
        .choices(Object.keys(schemas))
        .default("config"),
    )
    .addHelpText(
      "after",
      `
Example:
  policy-engine schema > policies.schema.json
and as the first line of a configuration, for editors with the YAML language server:
  # yaml-language-server: $schema=policies.schema.json`,
    )
    .action((document: Document) => {
      process.stdout.write(`${JSON.stringify(schemas[document](policies), undefined, 2)}\n`);
    });
