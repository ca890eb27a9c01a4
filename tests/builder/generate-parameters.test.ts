import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { generateParameters } from "../../builder/generate-parameters.ts";
import type { JsonSchema, PolicyManifest } from "../../src/config/types.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function manifestWith(parameters: JsonSchema): PolicyManifest {
  return {
    name: "demo",
    version: "1.0.0",
    summary: "Demo.",
    sdk: 1,
    protects: false,
    metadata: { reads: [], writes: {} },
    mutates: [],
    headers: { request: [], response: [] },
    replies: "sometimes",
    parameters,
  };
}

/** The generated type of one property. */
function typeOf(property: JsonSchema, more: JsonSchema = {}): string {
  const text = generateParameters(manifestWith({ type: "object", additionalProperties: false, properties: { p: property }, ...more }));
  return /readonly p(\??: [\s\S]*);\n\}/.exec(text)?.[1]?.replace(/\s+/g, " ") ?? text;
}

const object = (properties: Readonly<Record<string, JsonSchema>>, more: JsonSchema = {}): JsonSchema => ({
  type: "object",
  additionalProperties: false,
  properties,
  ...more,
});

describe("the type of a property", () => {
  const cases: readonly (readonly [string, JsonSchema, string])[] = [
    ["text", { type: "string" }, "?: string"],
    ["a secret is text", { type: "string", "x-secret": true }, "?: string"],
    ["an integer", { type: "integer", minimum: 1 }, "?: number"],
    ["true or false, with a default", { type: "boolean", default: false }, "?: boolean".slice(1)],
    ["a default that is nothing", { type: ["string", "null"], default: null }, ": string | null"],
    ["a condition", { type: "string", "x-expression": "bool" }, "?: Expression<boolean>"],
    ["a value in CEL", { type: "string", "x-expression": "string" }, "?: Expression<string>"],
    ["a pattern", { type: "string", "x-regex": true }, "?: Pattern"],
    ["choices", { type: "string", enum: ["a", 'b"'] }, '?: "a" | "b\\""'],
    ["one choice", { const: true }, "?: true"],
    ["a list of text", { type: "array", items: { type: "string" } }, "?: readonly string[]"],
    ["a list of choices", { type: "array", items: { enum: ["a", "b"] } }, '?: ReadonlyArray<"a" | "b">'],
    ["a list of lists", { type: "array", items: { type: "array", items: { type: "number" } } }, "?: ReadonlyArray<readonly number[]>"],
    ["a list of conditions", { type: "array", items: { type: "string", "x-expression": "bool" } }, "?: ReadonlyArray<Expression<boolean>>"],
    ["an object", object({ a: { type: "string" } }, { required: ["a"] }), "?: { readonly a: string; }"],
    ["an object without properties", object({}), "?: Readonly<Record<string, never>>"],
    ["names that are no identifiers", object({ "x-a": { type: "string" } }), '?: { readonly "x-a"?: string; }'],
    ["a map", { type: "object", additionalProperties: { type: "integer" } }, "?: Readonly<Record<string, number>>"],
    [
      "a map with a pattern for keys",
      { type: "object", patternProperties: { "^x-": { type: "string" } } },
      "?: Readonly<Record<string, string>>",
    ],
    ["one of several", { oneOf: [{ type: "string" }, object({ a: { type: "string" } })] }, "?: string | { readonly a?: string; }"],
    [
      "exactly one of two keys does not show",
      object({ a: { type: "string" } }, { oneOf: [{ required: ["a"] }, { required: ["b"] }] }),
      "?: { readonly a?: string; }",
    ],
  ];

  test.each(cases)("%s", (_, schema, expected) => {
    expect(typeOf(schema)).toBe(expected);
  });

  test("a required property is never absent", () => {
    expect(typeOf({ type: "string" }, { required: ["p"] })).toBe(": string");
  });

  test("a reference is an interface of that name, also to itself", () => {
    const $defs = { "tree-node": object({ children: { type: "array", items: { $ref: "#/$defs/tree-node" } } }) };
    const text = generateParameters(manifestWith(object({ p: { $ref: "#/$defs/tree-node" } }, { $defs })));
    expect(text).toContain("readonly p?: TreeNode;");
    expect(text).toContain("export interface TreeNode {\n  readonly children?: readonly TreeNode[];\n}");
  });

  test("a title names an interface, once for every use of the same schema", () => {
    const change = object({ name: { type: "string" } }, { title: "Header change" });
    const text = generateParameters(manifestWith(object({ a: change, b: { type: "array", items: change } })));
    expect(text).toContain("readonly a?: HeaderChange;");
    expect(text).toContain("readonly b?: readonly HeaderChange[];");
    expect(text.match(/export interface HeaderChange/g)).toHaveLength(1);
  });
});

describe("comments", () => {
  test("hold the description and the default, and break at 140 columns", () => {
    const text = generateParameters(
      manifestWith(object({ p: { type: "integer", description: `${"word ".repeat(40)}end.`, default: 3 } }, { description: "All." })),
    );
    expect(text).toContain("/** All. */\nexport interface Parameters {\n  /**\n   * word");
    expect(text).toContain("end. Default: 3.\n   */\n  readonly p: number;");
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(140);
  });

  test("cannot be left by a description", () => {
    expect(generateParameters(manifestWith(object({ p: { type: "string", description: "a */ b" } })))).toContain("a *\\/ b");
  });
});

describe("a schema that has no type is refused with its place", () => {
  test.each([
    ["no type", { description: "?" }, "parameters.p: no TypeScript type"],
    ["an unknown type", { type: "text" }, "parameters.p: no TypeScript type"],
    ["inside a list", { type: "array", items: { description: "?" } }, "parameters.p[]: no TypeScript type"],
    ["a tuple", { type: "array", prefixItems: [{ type: "string" }] }, "parameters.p: `prefixItems`"],
    ["an unknown kind of expression", { type: "string", "x-expression": "int" }, "parameters.p: `x-expression`"],
    ["a reference to nothing", { $ref: "#/$defs/none" }, "parameters.p: `$ref: #/$defs/none`"],
  ])("%s", (_, schema, message) => {
    expect(() => typeOf(schema)).toThrow(message);
  });

  test("two schemas of one name", () => {
    const [one, two] = ["a", "b"].map((name) => object({ [name]: { type: "string" } }, { title: "Same" }));
    expect(() => generateParameters(manifestWith(object({ p: one ?? {}, q: two ?? {} })))).toThrow("`Same`");
  });
});

test("what is generated compiles at the strictest setting, imports what it uses and comes out the same twice", async () => {
  const parameters = object(
    {
      mode: { type: "string", enum: ["fast", "safe"], default: "safe", description: "How." },
      rules: {
        type: "array",
        items: object(
          { when: { type: "string", "x-expression": "bool" }, path: { type: "string", "x-regex": true } },
          { title: "Rule", required: ["when"] },
        ),
      },
      either: { oneOf: [{ type: "string" }, { $ref: "#/$defs/limits" }] },
      labels: { type: "object", additionalProperties: { type: "string" } },
    },
    { $defs: { limits: object({ max: { type: "integer", default: 1 } }) }, required: ["rules"] },
  );
  const text = generateParameters(manifestWith(parameters));
  expect(generateParameters(manifestWith(structuredClone(parameters)))).toBe(text);
  expect(await compilerErrors(`${text}\n${uses}`)).toBe("");
});

const uses = `
export const least: Parameters = { mode: "fast", rules: [] };
export function read({ mode, rules, either, labels }: Parameters): string {
  // @ts-expect-error parameters are frozen
  rules.push();
  const max: number | undefined = typeof either === "object" ? either.max : undefined;
  const path: boolean | undefined = rules[0]?.path?.test("/a");
  return [mode, max, path, labels?.["a"]].join();
}
export const rule = (one: Rule): string => one.when.text;
`;

async function compilerErrors(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "policy-engine-parameters-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "parameters.ts"), text);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.json"), include: ["parameters.ts"] }));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return new Promise((resolve) => {
    execFile(join(root, "node_modules/.bin/tsc"), ["--project", folder], (_, stdout) => resolve(stdout));
  });
}
