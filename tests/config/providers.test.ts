/** What several providers say together, and what text from elsewhere may use. */
import { expect, test } from "vitest";
import { isAllowed, readAllowedSecrets } from "../../src/config/allowed-secrets.ts";
import { checkConfig } from "../../src/config/check.ts";
import { rootPlace } from "../../src/config/node.ts";
import { parseYaml } from "../../src/config/parse.ts";
import { formatProblems } from "../../src/config/problems.ts";
import type { SecretReference, SourceDocument } from "../../src/config/types.ts";
import { casesIn, expectGolden } from "./goldens.ts";
import { secretWord, testEnvironment, testSchemas } from "./support.ts";

const environment = testEnvironment(testSchemas());

/** `10-local.yaml`: the provider `local`, with precedence 10. Text of `remote` may use the secrets of partners. */
function delivered({ uri, text }: SourceDocument): SourceDocument {
  const [precedence = "", provider = ""] = uri.replace(".yaml", "").split("-");
  const mayUseSecret = (reference: SecretReference): boolean => provider === "local" || isAllowed(reference, allowed);
  return { uri, text, origin: { provider, precedence: Number(precedence), mayUseSecret } };
}

const allowed = allowedSecrets('["env:PARTNER_*", "file:/run/partner/*", "file:/run/one"]');

function allowedSecrets(text: string): ReturnType<typeof readAllowedSecrets> {
  const { root } = parseYaml({ uri: "settings.yaml", text });
  return readAllowedSecrets(root && rootPlace(root), () => {
    throw new Error(`cannot be read: ${text}`);
  });
}

test.each(casesIn("providers/"))("$name", ({ documents, goldenPath }) => {
  const checked = checkConfig(documents.map(delivered), environment);
  const problems = "problems" in checked ? checked.problems : checked.config.warnings;
  const lines = "problems" in checked ? ["refused"] : ["accepted", ...sourcesOf(checked.config)];
  const output = `${lines.join("\n")}\n\n${formatProblems(problems)}\n`;
  expectGolden(goldenPath, output);
  expect(output).not.toContain(secretWord);
});

function sourcesOf({ chains, routeSources, unmatched }: Extract<ReturnType<typeof checkConfig>, { config: unknown }>["config"]) {
  return [
    ...[...chains.values()].map(({ name, provider }) => `chain ${name} of ${provider}`),
    ...[...routeSources].map(([name, { provider, position }]) => `route ${name} of ${provider}, ${position.uri}:${position.line}`),
    `unmatched -> ${unmatched.kind}`,
  ];
}

test.each([
  ["env:PARTNER_KEY", true],
  ["env:PARTNER_", true],
  ["env:PARTNER", false],
  ["env:KEY", false],
  ["file:PARTNER_KEY", false],
  ["file:/run/one", true],
  ["file:/run/one/two", false],
  ["file:/run/partner/key", true],
  ["file:/run/partner/..key", true],
  ["file:/run/partner/", false],
  ["file:/run/partner/..", false],
  ["file:/run/partner/.", false],
  ["file:/run/partner/../secrets/key", false],
  ["file:/run/partner//key", false],
  ["file:/run//partner/key", false],
  ["file:run/partner/key", false],
] as const)("whether text from elsewhere may use ${%s}: %s", (text, expected) => {
  const [kind, name = ""] = text.split(/:(.*)/);
  expect(isAllowed({ kind: kind === "env" ? "env" : "file", name }, allowed)).toBe(expected);
});
