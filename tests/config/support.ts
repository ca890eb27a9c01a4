/** What the cases of this folder run against: made-up policies, made-up secrets, real engines for patterns and schemas. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { parseManifest } from "../../src/config/manifest.ts";
import { createSchemaEngine, type SchemaEngine } from "../../src/config/schema-engine.ts";
import type { CheckEnvironment, PolicyRegistry, PolicyRelease, SecretReference } from "../../src/config/types.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";

/** Whatever comes from a secret holds this word: no problem may show it. */
export const secretWord = "hush";

const secrets: Readonly<Record<string, string>> = {
  "env:KEY": `${secretWord}-env-value`,
  "file:/run/secrets/key": `${secretWord}-file-value\n`,
  "env:SHORT": secretWord,
  "env:UNCLOSED": `(${secretWord}`,
};

export function testSchemas(): SchemaEngine {
  return createSchemaEngine(loadPatternEngine().engine);
}

export function testEnvironment(schemas: SchemaEngine): CheckEnvironment {
  return {
    policies: testPolicies(schemas),
    schemas,
    secret: ({ kind, name }: SecretReference) => {
      const value = secrets[`${kind}:${name}`];
      return value === undefined ? { missing: kind === "env" ? "the variable is not set" : "no such file" } : { value };
    },
    envoy: {
      identity: "both",
      allowModeOverride: true,
      responseHeaders: "skipped",
      messageTimeoutMs: 10_000,
      bodyBytesMax: 10 * 1024 ** 2,
      metadata: undefined,
    },
  };
}

function testPolicies(schemas: SchemaEngine): PolicyRegistry {
  const text = readFileSync(new URL("policies.yaml", import.meta.url), "utf8");
  const manifests: unknown = parse(text);
  if (!Array.isArray(manifests)) throw new Error("policies.yaml holds a list");
  return new Map(manifests.map((manifest: unknown) => release(JSON.stringify(manifest), schemas)));
}

function release(manifestText: string, schemas: SchemaEngine): readonly [string, PolicyRelease] {
  const parsed = parseManifest({ uri: "policies.yaml", text: manifestText }, schemas);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems, null, 2));
  const { manifest } = parsed;
  return [`${manifest.name}@${manifest.version}`, { manifest, definition: { create: () => ({}) }, source: "tests", hash: "0" }];
}
