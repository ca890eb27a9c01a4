/**
 * The schemas for editors, held against the engine's own readers: what a schema refuses the engine refuses too, what the engine accepts a schema
 * accepts, and of the engine's problems a schema finds those that it can see.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readDistribution } from "../../builder/distribution/read-distribution.ts";
import { checkConfig } from "../../src/config/check.ts";
import { parseManifest } from "../../src/config/manifest.ts";
import { catalogue, resolvePolicy } from "../../src/config/policy-reference.ts";
import { parseSettings } from "../../src/config/settings.ts";
import type { JsonSchema, SourceDocument } from "../../src/config/types.ts";
import { casesSchema } from "../../src/editor-schemas/cases.ts";
import { configSchema } from "../../src/editor-schemas/config.ts";
import { distributionSchema } from "../../src/editor-schemas/distribution.ts";
import { manifestSchema } from "../../src/editor-schemas/manifest.ts";
import { settingsSchema } from "../../src/editor-schemas/settings.ts";
import type { ErrorCode, Problem } from "../../src/errors.ts";
import { policies } from "../../src/generated/registry.ts";
import { parseCases } from "../../src/testing/case-format.ts";
import { type Case, casesIn } from "../config/goldens.ts";
import { testEnvironment, testSchemas } from "../config/support.ts";

const root = join(import.meta.dirname, "../..");
const engineSchemas = testSchemas();
const environment = testEnvironment(engineSchemas);
const testManifests = [...environment.policies.values()].map(({ manifest }) => manifest);
const shipped = [...policies.values()].map(({ manifest }) => manifest);

const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true });

/** What a schema says against a text, undefined when it is no YAML. */
function faultsOf(schema: JsonSchema, text: string): readonly string[] | undefined {
  const validate = ajv.compile(schema);
  try {
    validate(parse(text, { logLevel: "error" }));
  } catch {
    return undefined;
  }
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test.each(["config", "settings", "cases", "manifest", "distribution", "decision"])(
  "the committed schema of %s has only words that editors know",
  (name) => {
    const schema = readFileSync(join(root, `schemas/${name}.schema.json`), "utf8");
    expect(() => ajv.compile(JSON.parse(schema))).not.toThrow();
    expect(schema).not.toMatch(/"(?:x-expression|x-regex|x-secret|discriminator)":/);
  },
);

describe("every example and every document of the project passes", () => {
  const files = (folder: string, name: RegExp): readonly string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => name.test(file) && !file.includes("node_modules"))
      .map((file) => join(folder, file));
  const documents: readonly (readonly [file: string, name: string, schema: JsonSchema])[] = [
    ...files("configs", /policies\.yaml$/).map((file) => [file, "config", configSchema(shipped)] as const),
    ...files("configs", /settings\.yaml$/).map((file) => [file, "settings", settingsSchema] as const),
    ...["configs", "policies", "templates"]
      .flatMap((folder) => files(folder, /cases\.yaml$/))
      .map((file) => [file, "cases", casesSchema] as const),
    ...["policies", "templates"]
      .flatMap((folder) => files(folder, /policy\.yaml$/))
      .map((file) => [file, "manifest", manifestSchema] as const),
  ];

  test.each(documents)("%s", (file, name, schema) => {
    const text = readFileSync(join(root, file), "utf8");
    expect(faultsOf(schema, text)).toEqual([]);
    const [, reference] = /^# yaml-language-server: \$schema=(.*)\n/.exec(text) ?? [];
    // What is generated from other files has lost it, and a policy stands for itself.
    if (reference === undefined) expect(file).toMatch(/^(?:configs\/compose|policies)\//);
    else expect(join(file, "..", reference)).toBe(`schemas/${name}.schema.json`);
  });
});

describe("a schema and the engine agree", () => {
  const config = configSchema(testManifests);
  const kinds: readonly (readonly [folder: string, schema: JsonSchema, problems: (document: SourceDocument) => readonly Problem[]])[] = [
    ["../config/cases/", config, (document) => problemsOf(checkConfig([document], environment))],
    ["../config/settings/", settingsSchema, (document) => problemsOf(parseSettings(document, "/"))],
    ["../config/manifests/", manifestSchema, (document) => problemsOf(parseManifest(document, engineSchemas))],
    ["../testing/refused/", casesSchema, (document) => problemsOf(parseCases(document, engineSchemas))],
  ];
  const single = kinds.flatMap(([folder, schema, problems]) =>
    casesIn(new URL(folder, import.meta.url).href).flatMap(({ name, documents }: Case) =>
      documents.map((document) => ({ name: `${folder}${name} ${document.uri}`, document, schema, found: problems(document) })),
    ),
  );

  test.each(single)("$name", ({ document, schema, found }) => {
    const faults = faultsOf(schema, document.text);
    if (faults === undefined) return;
    const errors = found.filter(({ severity }) => severity === "error");
    if (errors.length === 0) expect(faults).toEqual([]);
    if (errors.some(({ code }) => visible.has(code))) expect(faults).not.toEqual([]);
  });

  test.each([
    [
      "{ name: a, version: 1.0.0, policies: [{ shipped: set-header@2 }, { folder: . }, { npm: '@a/b', range: ^1.0.0 }, { tarball: a.tgz }] }",
      true,
    ],
    ["{ name: a, version: 1.0.0, policies: [] }", false],
    ["{ name: a, version: 1.0.0, policies: [{ shipped: a@1, folder: . }] }", false],
    ["{ name: a, version: 1.0.0, policies: [{}] }", false],
    ["{ name: a, version: 1.0.0, policies: [{ npm: a }] }", false],
    ["{ name: a, version: 1.0.0, policies: [{ npm: ../a, range: '1' }] }", false],
    ["{ name: a, version: 1.0.0, policies: [{ folder: a, range: '1' }] }", false],
    ["{ name: A, version: 1.0.0, policies: [{ folder: a }] }", false],
    ["{ name: a, version: 1.0, policies: [{ folder: a }] }", false],
    ["{ name: a, policies: [{ folder: a }] }", false],
  ])("distribution: %s", (text, accepted) => {
    expect(faultsOf(distributionSchema, text)?.length === 0).toBe(accepted);
    expect("distribution" in readDistribution({ uri: "distribution.yaml", text })).toBe(accepted);
  });

  test("and there is enough to agree about", () => {
    const codes = new Set(single.flatMap(({ found }) => found.map(({ code }) => code)).filter((code) => visible.has(code)));
    expect([...visible].filter((code) => !codes.has(code))).toEqual([]);
  });
});

/** Problems that a schema can see. */
const visible: ReadonlySet<ErrorCode> = new Set([
  "unknown-key",
  "missing-key",
  "wrong-type",
  "wrong-version",
  "invalid-choice",
  "invalid-name",
  "invalid-quantity",
  "policy-reference",
  "policy-unknown",
  "policy-version-unknown",
  "policy-version-zero",
  "parameter-missing",
  "parameter-unknown",
  "parameter-type",
  "parameter-choice",
  "parameter-alternatives",
  "parameter-invalid",
  "too-many",
  "empty-list",
  "case-invalid",
  "manifest-version",
  "manifest-sdk",
]);

describe("the policies of a step", () => {
  test("every reference that is offered is one, and means what is said", () => {
    const offered = offeredReferences(configSchema(testManifests));
    const known = catalogue(environment.policies.values());
    for (const { const: reference, description } of offered) {
      const found = resolvePolicy(reference, nowhere, known, (problem) => {
        throw new Error(problem.message);
      });
      const version = `${found?.manifest.name}@${found?.manifest.version}`;
      expect(description).toBe(reference === version ? found?.manifest.summary : `${version}: ${found?.manifest.summary}`);
    }
    expect(offered.map((each) => each.const).filter((reference) => reference.startsWith("set-header"))).toEqual([
      "set-header@2",
      "set-header@2.0",
      "set-header@1",
      "set-header@1.1",
      "set-header@1.0",
      "set-header@2.1.0-rc.1",
      "set-header@2.0.1",
      "set-header@2.0.0",
      "set-header@1.1.0",
      "set-header@1.0.0",
    ]);
  });

  const step = (text: string): string => `version: 1\nchains: { a: { steps: [${text}] } }\n`;

  test.each([
    ["a parameter of the version that is named", "{ policy: set-header@1, parameters: { request: [{ name: x-a, set: b }] } }", 0],
    ["a parameter of another version", "{ policy: set-header@2, parameters: { request: [{ name: x-a, set: b }] } }", 1],
    [
      "a secret where the rules of a text would refuse it",
      '{ policy: api-key-validation@1, parameters: { keys: [{ digest: "${env:A}", owner: b }] } }',
      0,
    ],
    ["another text there", "{ policy: api-key-validation@1, parameters: { keys: [{ digest: A, owner: b }] } }", 1],
    ["parameters that are needed", "{ policy: authorize@1 }", 1],
    ["a version that is not there", "{ policy: authorize@7 }", 1],
  ])("%s", (_, text, faults) => {
    expect(Math.min(1, faultsOf(configSchema(shipped), step(text))?.length ?? 0)).toBe(faults);
  });
});

const nowhere = { position: { uri: "config.yaml", line: 1, column: 1 }, path: "" };

function offeredReferences(schema: JsonSchema): readonly { readonly const: string; readonly description: string }[] {
  const { $defs } = JSON.parse(JSON.stringify(schema));
  return $defs.step.properties.policy.anyOf;
}

function problemsOf(parsed: object): readonly Problem[] {
  return "problems" in parsed && Array.isArray(parsed.problems) ? parsed.problems : [];
}

describe("a schema and the engine know the same keys", () => {
  const unknown = "zzz-unknown-zzz";
  const places: readonly (readonly [string, JsonSchema, (text: string) => readonly Problem[], string])[] = [
    ["a configuration", configSchema(testManifests), configProblems, "{ version: 1, KEY: 1 }"],
    [
      "a chain",
      at(configSchema(testManifests), "properties/chains/additionalProperties"),
      configProblems,
      "{ version: 1, chains: { a: { steps: [], KEY: 1 } } }",
    ],
    [
      "a step",
      at(configSchema(testManifests), "$defs/step"),
      configProblems,
      "{ version: 1, chains: { a: { steps: [{ policy: greeter@0.4, KEY: 1 }] } } }",
    ],
    ["settings", settingsSchema, settingsProblems, "{ version: 1, KEY: 1 }"],
    ["a provider", at(settingsSchema, "properties/providers/items"), settingsProblems, "{ version: 1, providers: [{ KEY: 1 }] }"],
    ...["secrets", "envoy", "shutdown", "log", "recording"].map(
      (key) =>
        [`settings: ${key}`, at(settingsSchema, `properties/${key}`), settingsProblems, `{ version: 1, ${key}: { KEY: 1 } }`] as const,
    ),
    ["a distribution", distributionSchema, distributionProblems, "{ KEY: 1 }"],
    ["a policy of a distribution", at(distributionSchema, "properties/policies/items"), distributionProblems, "{ policies: [{ KEY: 1 }] }"],
    ["a manifest", manifestSchema, manifestProblems, "{ KEY: 1 }"],
    ["a manifest: headers", at(manifestSchema, "properties/headers"), manifestProblems, "{ headers: { KEY: 1 } }"],
    [
      "a manifest: a header",
      at(manifestSchema, "properties/headers/properties/request/items"),
      manifestProblems,
      "{ headers: { request: [{ KEY: 1 }] } }",
    ],
    ["a manifest: metadata", at(manifestSchema, "properties/metadata"), manifestProblems, "{ metadata: { KEY: 1 } }"],
  ];

  test.each(places)("%s", (_, schema, problems, text) => {
    const found = problems(text.replace("KEY", unknown)).find(({ code }) => code === "unknown-key");
    const known = /use one of: (.*)$/.exec(found?.remedy ?? "")?.[1]?.split(", ");
    expect(Object.keys(schema.properties ?? {}).sort()).toEqual(known?.sort());
  });

  function configProblems(text: string): readonly Problem[] {
    return problemsOf(checkConfig([{ uri: "a.yaml", text }], environment));
  }
  function settingsProblems(text: string): readonly Problem[] {
    return problemsOf(parseSettings({ uri: "a.yaml", text }, "/"));
  }
  function distributionProblems(text: string): readonly Problem[] {
    return problemsOf(readDistribution({ uri: "a.yaml", text }));
  }
  function manifestProblems(text: string): readonly Problem[] {
    return problemsOf(parseManifest({ uri: "a.yaml", text }, engineSchemas));
  }
  function at(schema: JsonSchema, path: string): JsonSchema {
    let part = JSON.parse(JSON.stringify(schema));
    for (const key of path.split("/")) part = part[key];
    return part;
  }
});
