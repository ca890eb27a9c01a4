/** `envoy.metadata` of the settings, against what the chains of a configuration write. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkConfig } from "../../src/config/check.ts";
import { formatProblems } from "../../src/config/problems.ts";
import { parseSettings } from "../../src/config/settings.ts";
import { policies } from "../../src/generated/registry.ts";
import { expectGolden } from "./goldens.ts";
import { testEnvironment, testSchemas } from "./support.ts";

const schemas = testSchemas();

function warnings(metadata: string, config: string): string {
  const text = `version: 1\nproviders: [{ file: { paths: [policies.yaml] } }]\nenvoy:\n  metadata: ${metadata}\n`;
  const parsed = parseSettings({ uri: "settings.yaml", text }, "/etc/engine");
  if ("problems" in parsed) throw new Error(formatProblems(parsed.problems));
  const environment = { ...testEnvironment(schemas), policies, envoy: parsed.settings.envoy };
  const checked = checkConfig([{ uri: "policies.yaml", text: config }], environment);
  if ("problems" in checked) throw new Error(formatProblems(checked.problems));
  return formatProblems(checked.config.warnings);
}

const withKeys = `
version: 1
chains: { api: { steps: [{ policy: api-key-validation@1, parameters: { keys: [] } }] } }
routes: { api: api }
`;
const without = `
version: 1
chains: { api: { steps: [{ policy: set-header@2, parameters: { request: [{ set: { name: x-a, value: a } }] } }] } }
routes: { api: api }
`;

describe("values for Envoy that steps write, or may write as far as their schemas tell", () => {
  test.for(["[]", "[auth]", "[auth.subject, auth.scopes, auth.claims.tier, auth.claims.a.b]"])("%s", (metadata) => {
    expect(warnings(metadata, withKeys)).toBe("");
  });
});

test("what no step writes is warned of, with what was meant", () => {
  const texts = [warnings("[auth.subjct, auth.subject.name, note, auth.method]", withKeys), warnings("[auth.subject]", without)];
  expectGolden(fileURLToPath(new URL("metadata-paths.golden.txt", import.meta.url)), `${texts.join("\n\n")}\n`);
});
