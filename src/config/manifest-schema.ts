/**
 * The JSON Schemas inside a manifest. Beyond what the validator's strict mode demands, a parameter schema is written so that a user's
 * mistake is found and explained: every property has a description, no object takes keys that nobody knows, every `pattern` is RE2.
 */
import { type Problem, problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import { entryPlace, type MapNode, type Place } from "./node.ts";
import { detailOf, placeAt } from "./parameter-problems.ts";
import { at, atKey, type Report, wrongType } from "./read.ts";
import type { SchemaEngine } from "./schema-engine.ts";
import { compile, fault, holdList, holdNamed, holdOne, mapValue, strictProblem, subschemas } from "./schema-parts.ts";
import { valueProblems } from "./schema-values.ts";
import type { JsonSchema } from "./types.ts";

/** The schema of a step's parameters. */
export function checkParameterSchema(place: Place, schemas: SchemaEngine, report: Report): JsonSchema {
  const schema = checkSchema(place, { kind: "parameters", schemas, definitions: definitionsOf(place) }, report);
  if (schema.type !== "object" && place.node.kind === "map") report(fault(place, "parameters are a map", "write `type: object`"));
  return schema;
}

/** The schema of a value that a policy writes to the shared metadata. */
export function checkValueSchema(place: Place, schemas: SchemaEngine, report: Report): JsonSchema {
  return checkSchema(place, { kind: "value", schemas, definitions: definitionsOf(place) }, report);
}

interface Rules {
  readonly kind: "parameters" | "value";
  readonly schemas: SchemaEngine;
  /** Names under the schema's `$defs`. */
  readonly definitions: readonly string[];
}

function definitionsOf({ node }: Place): readonly string[] {
  const definitions = node.kind === "map" ? node.entries.get("$defs")?.value : undefined;
  return definitions?.kind === "map" ? [...definitions.entries.keys()] : [];
}

function checkSchema(place: Place, rules: Rules, report: Report): JsonSchema {
  if (place.node.kind !== "map") {
    report(wrongType(place, "a map"));
    return {};
  }
  const problems: Problem[] = [];
  checkNode(place, rules, "always", (found) => problems.push(found));
  const schema = mapValue(place.node);
  if (problems.length === 0) problems.push(...strictProblems(place, schema, rules.schemas));
  if (problems.length === 0) problems.push(...valueProblems(place, schema, rules.schemas));
  for (const found of problems) report(found);
  return schema;
}

const others = [
  ...["$comment", "$ref", "const", "default", "dependentRequired", "deprecated", "description", "discriminator", "enum", "examples"],
  ...["exclusiveMaximum", "exclusiveMinimum", "format", "maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains"],
  ...["minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "required", "title", "type", "uniqueItems"],
];
/** Keywords that change what a text becomes. */
const marks = ["x-expression", "x-regex"];
const keywords = [...holdOne, ...holdList, ...holdNamed, ...others, ...marks, "x-secret"];
const markValues: Readonly<Record<string, readonly unknown[]>> = {
  "x-expression": ["bool", "string"],
  "x-regex": [true],
  "x-secret": [true, "digest"],
};

/**
 * A schema and those inside it. `tried`: below a branch that the validator only tries; what is marked there would be taken for an
 * expression even where another branch holds.
 */
function checkNode(place: Place, rules: Rules, applies: "always" | "tried", report: Report): void {
  const { node } = place;
  if (node.kind !== "map") return;
  for (const [keyword, entry] of node.entries) {
    const child = entryPlace(place, keyword, entry);
    if (!keywords.includes(keyword)) report(unknownKeyword(keyword, child));
    if (keyword.startsWith("x-")) checkMark(keyword, child, node, rules, applies, report);
    if (keyword === "properties" && rules.kind === "parameters") checkDescriptions(child, report);
    checkPatterns(keyword, child, rules.schemas, report);
    if (keyword === "$ref") checkReference(child, rules.definitions, applies, report);
    const below = isTried(keyword, node) ? "tried" : applies;
    for (const schema of subschemas(keyword, child)) checkNode(schema, rules, below, report);
  }
  if (rules.kind === "parameters") checkClosed(place, node, report);
}

/** With a discriminator only the branch that the tag names is looked at. */
function isTried(keyword: string, { entries }: MapNode): boolean {
  return ["oneOf", "anyOf", "if", "not", "contains"].includes(keyword) && !entries.has("discriminator");
}

function unknownKeyword(keyword: string, place: Place): Problem {
  const suggestion = suggest(keyword, keywords);
  const remedy =
    suggestion === undefined ? "use a keyword of JSON Schema 2020-12 that this engine knows" : `did you mean \`${suggestion}\`?`;
  return problem("manifest-schema", atKey(place), { detail: `unknown keyword \`${keyword}\``, remedy });
}

function checkMark(keyword: string, place: Place, schema: MapNode, rules: Rules, applies: "always" | "tried", report: Report): void {
  const { node } = place;
  const value = node.kind === "scalar" ? node.value : undefined;
  const takes = markValues[keyword];
  if (takes !== undefined && !takes.some((taken) => taken === value)) {
    report(fault(place, `\`${keyword}\` is ${takes.join(" or ")}`, `write ${takes.join(" or ")}`));
  }
  if (rules.kind === "value") report(fault(place, `\`${keyword}\` means nothing for a value that a policy writes`, "remove it"));
  if (keyword === "x-secret" && schema.entries.has("x-expression")) {
    report(fault(place, "an expression holds no secret: no reference is resolved in it", "remove `x-secret`"));
  }
  if (marks.includes(keyword) && applies === "tried") {
    const remedy = "move the property out of the branch and only list it in the branch's `required`, or give the `oneOf` a `discriminator`";
    report(fault(place, `\`${keyword}\` stands in a branch that may not hold`, remedy));
  }
}

function checkDescriptions(properties: Place, report: Report): void {
  for (const [property, entry] of properties.node.kind === "map" ? properties.node.entries : []) {
    const described = entry.value.kind === "map" && entry.value.entries.has("description");
    if (!described) report(problem("manifest-undescribed", atKey(entryPlace(properties, property, entry)), { property }));
  }
}

/**
 * An object that takes any key hides misspelt parameters. `propertyNames` with a schema for the values makes it a map on purpose; with a
 * discriminator each branch is closed.
 */
function checkClosed(place: Place, schema: MapNode, report: Report): void {
  const type = schema.entries.get("type")?.value;
  if (type?.kind !== "scalar" || type.value !== "object") return;
  const isMap = schema.entries.has("propertyNames") && schema.entries.get("additionalProperties")?.value.kind === "map";
  const branches = schema.entries.has("discriminator") ? schema.entries.get("oneOf")?.value : undefined;
  const branchesClosed = branches?.kind === "list" && branches.items.every((branch) => branch.kind === "map" && isClosed(branch));
  if (!isClosed(schema) && !isMap && !branchesClosed) report(problem("manifest-open-object", atKey(place), {}));
}

function isClosed({ entries }: MapNode): boolean {
  const closers = [entries.get("additionalProperties"), entries.get("unevaluatedProperties")];
  return closers.some((entry) => entry?.value.kind === "scalar" && entry.value.value === false);
}

function checkPatterns(keyword: string, place: Place, { patterns }: SchemaEngine, report: Report): void {
  const { node } = place;
  const sources: [Place, string][] = [];
  if (keyword === "pattern" && node.kind === "scalar" && typeof node.value === "string") sources.push([place, node.value]);
  if (keyword === "patternProperties" && node.kind === "map") {
    for (const [source, entry] of node.entries) sources.push([entryPlace(place, source, entry), source]);
  }
  for (const [where, source] of sources) {
    const compilation = patterns.compile(source);
    if ("pattern" in compilation) continue;
    const { message, remedy } = compilation.problem;
    report(problem("pattern-invalid", at(where), { detail: message, remedy }));
  }
}

/**
 * Below a branch that is only tried, faults found through a reference cannot be traced back to the branch: the user would read them all.
 */
function checkReference(place: Place, definitions: readonly string[], applies: "always" | "tried", report: Report): void {
  const target = place.node.kind === "scalar" ? place.node.value : undefined;
  const known = definitions.map((name) => `#/$defs/${name}`);
  if (!known.some((name) => name === target)) {
    const remedy = known.length === 0 ? "define it under `$defs`" : `refer to one of: ${known.join(", ")}`;
    report(fault(place, "the reference leads to none of the schema's own `$defs`", remedy));
  } else if (applies === "tried") {
    report(fault(place, "a reference stands in a branch that may not hold", "write it out, or give the `oneOf` a `discriminator`"));
  }
}

/** The validator's own view, once ours is content: it stops at its first complaint. */
function strictProblems(place: Place, schema: JsonSchema, schemas: SchemaEngine): readonly Problem[] {
  const [violation] = schemas.metaErrors(schema);
  // A value with several things wrong is listed with every alternative it missed: the first one names it.
  if (violation !== undefined)
    return [fault(placeAt(place, violation.instancePath), `it ${detailOf(violation)}`, "correct the keyword's value")];
  const compiled = compile(schema, schemas);
  return "validate" in compiled ? [] : [strictProblem(place, compiled.complaint)];
}
