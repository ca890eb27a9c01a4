import { isDeepStrictEqual } from "node:util";
import type { JsonSchema, PolicyManifest } from "../src/config/types.ts";

/**
 * The module `parameters.ts` of a policy: the type of what `create` receives, from the manifest's parameter schema. Deeply readonly; a
 * property with a default is never absent; `x-expression` and `x-regex` have become what the loader compiles them to.
 *
 * A schema with a `title`, and one under `$defs`, becomes an interface of that name, so that a policy can name parts of its parameters.
 * Keywords that only narrow values (bounds, patterns, `oneOf` over `required` ...) do not show in the types.
 *
 * @throws when the schema says something that has no type here; the message names the place in the schema
 */
export function generateParameters(manifest: PolicyManifest): string {
  const writer: Writer = { root: manifest.parameters, interfaces: new Map(), imports: new Set() };
  namedText("Parameters", manifest.parameters, "parameters", writer);
  const imports = [...writer.imports].sort();
  return [
    "// Generated from policy.yaml by `npm run generate`: change that, not this.",
    ...(imports.length > 0 ? [`import type { ${imports.join(", ")} } from "@envoy-policy-engine/sdk";`] : []),
    "",
    [...writer.interfaces.values()].map(({ text }) => text).join("\n"),
  ].join("\n");
}

interface Writer {
  readonly root: JsonSchema;
  /** Name to declaration, in the order of their first use. */
  readonly interfaces: Map<string, { readonly schema: JsonSchema; readonly text: string }>;
  readonly imports: Set<"Expression" | "Pattern">;
}

function typeText(schema: JsonSchema, place: string, indent: string, writer: Writer): string {
  const { title, $ref } = schema;
  if (typeof $ref === "string") return referenceText($ref, place, writer);
  if (typeof title === "string" && schema.type === "object") return namedText(typeName(title), schema, place, writer);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return union(schema.enum.map((value) => JSON.stringify(value)));
  const branches = alternatives(schema);
  if (branches !== undefined) {
    const { keyword, schemas } = branches;
    const either = union(schemas.map((branch, index) => typeText(branch, `${place}.${keyword}[${index}]`, indent, writer)));
    return schema.properties === undefined ? either : `${objectText(schema, place, indent, writer)} & (${either})`;
  }
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  return union(types.map((type) => plainText(type, schema, place, indent, writer)));
}

function plainText(type: unknown, schema: JsonSchema, place: string, indent: string, writer: Writer): string {
  switch (type) {
    case "string":
      return stringText(schema, place, writer);
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "null":
      return "null";
    case "array":
      return arrayText(schema, place, indent, writer);
    case "object":
      return objectText(schema, place, indent, writer);
    default:
      throw new Error(`${place}: no TypeScript type for this schema; give it a \`type\`, \`enum\`, \`const\`, \`oneOf\` or \`$ref\``);
  }
}

function stringText(schema: JsonSchema, place: string, writer: Writer): string {
  if (schema["x-regex"] === true) {
    writer.imports.add("Pattern");
    return "Pattern";
  }
  const result = schema["x-expression"];
  if (result === undefined) return "string";
  if (result !== "bool" && result !== "string") throw new Error(`${place}: \`x-expression\` is \`bool\` or \`string\``);
  writer.imports.add("Expression");
  return result === "bool" ? "Expression<boolean>" : "Expression<string>";
}

function arrayText(schema: JsonSchema, place: string, indent: string, writer: Writer): string {
  if ("prefixItems" in schema) throw new Error(`${place}: \`prefixItems\` has no type here; use an object with named properties`);
  const items = isSchema(schema.items) ? typeText(schema.items, `${place}[]`, indent, writer) : "unknown";
  return /^\w+$/.test(items) ? `readonly ${items}[]` : `ReadonlyArray<${items}>`;
}

function objectText(schema: JsonSchema, place: string, indent: string, writer: Writer): string {
  const properties = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  const others = otherProperties(schema, place, indent, writer);
  if (properties.length === 0) return others === undefined ? "Readonly<Record<string, never>>" : `Readonly<Record<string, ${others}>>`;
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const inner = `${indent}  `;
  const lines = properties.flatMap(([name, property]) => {
    if (!isSchema(property)) throw new Error(`${place}.${name}: a property needs a schema`);
    const mark = required.has(name) || "default" in property ? "" : "?";
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return [...comment(property, inner), `${inner}readonly ${key}${mark}: ${typeText(property, `${place}.${name}`, inner, writer)};`];
  });
  if (others !== undefined) lines.push(`${inner}readonly [name: string]: unknown;`);
  return ["{", ...lines, `${indent}}`].join("\n");
}

/** The type of properties that are not named in the schema, undefined when there are none. */
function otherProperties(schema: JsonSchema, place: string, indent: string, writer: Writer): string | undefined {
  const { additionalProperties, patternProperties } = schema;
  if (isSchema(patternProperties)) {
    return union(
      Object.entries(patternProperties).map(([pattern, value]) =>
        isSchema(value) ? typeText(value, `${place}.(${pattern})`, indent, writer) : "unknown",
      ),
    );
  }
  if (isSchema(additionalProperties)) return typeText(additionalProperties, `${place}.*`, indent, writer);
  return additionalProperties === false ? undefined : "unknown";
}

/** `oneOf` or `anyOf` whose branches are types of their own; branches that only say what is required narrow values, not types. */
function alternatives(schema: JsonSchema): { readonly keyword: string; readonly schemas: readonly JsonSchema[] } | undefined {
  for (const keyword of ["oneOf", "anyOf"]) {
    const branches = schema[keyword];
    if (!Array.isArray(branches)) continue;
    const schemas = branches
      .filter(isSchema)
      .filter((branch) => ["type", "$ref", "properties", "enum", "const"].some((key) => key in branch));
    if (schemas.length > 0) return { keyword, schemas };
  }
  return undefined;
}

function referenceText(reference: string, place: string, writer: Writer): string {
  const name = /^#\/\$defs\/([^/]+)$/.exec(reference)?.[1];
  const definitions = writer.root.$defs;
  const target = name !== undefined && isSchema(definitions) ? definitions[name] : undefined;
  if (name === undefined || !isSchema(target))
    throw new Error(`${place}: \`$ref: ${reference}\` names nothing under \`$defs\` of the parameters`);
  return namedText(typeName(name), target, `$defs.${name}`, writer);
}

function namedText(name: string, schema: JsonSchema, place: string, writer: Writer): string {
  const known = writer.interfaces.get(name);
  if (known === undefined) {
    // Before its own text is made: it keeps its place in the order, and a schema may contain itself.
    writer.interfaces.set(name, { schema, text: "" });
    const { title: _, ...untitled } = schema;
    const text = typeText(untitled, place, "", writer);
    const head =
      text.startsWith("{") && alternatives(schema) === undefined ? `export interface ${name} ${text}` : `export type ${name} = ${text};`;
    writer.interfaces.set(name, { schema, text: [...comment(schema, ""), head, ""].join("\n") });
  } else if (!isDeepStrictEqual(known.schema, schema)) {
    throw new Error(`${place}: another schema is called \`${name}\` already; give one of them another name`);
  }
  return name;
}

const commentColumns = 140;

/** The description and the default as a doc comment, broken into lines. */
function comment(schema: JsonSchema, indent: string): readonly string[] {
  const description = typeof schema.description === "string" ? schema.description.trim() : "";
  const text = [description, ...("default" in schema ? [`Default: ${JSON.stringify(schema.default)}.`] : [])]
    .filter((part) => part !== "")
    .join(" ")
    .replaceAll("*/", "*\\/");
  if (text === "") return [];
  const oneLine = `${indent}/** ${text} */`;
  if (oneLine.length <= commentColumns && !text.includes("\n")) return [oneLine];
  const lines = text.split("\n").flatMap((paragraph) => wrapped(paragraph, commentColumns - indent.length - 3));
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function typeName(title: string): string {
  return title
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

const union = (types: readonly string[]): string => [...new Set(types)].join(" | ");

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
