/** What the schemas of a manifest are made of, for those who look at all of their parts. */
import { type Problem, problem } from "../errors.ts";
import { entryPlace, itemPlace, type MapNode, type Place, plainValue } from "./node.ts";
import { placeAt } from "./parameter-problems.ts";
import { at } from "./read.ts";
import type { SchemaEngine, Validator } from "./schema-engine.ts";
import type { JsonSchema } from "./types.ts";

/** Keywords of JSON Schema 2020-12 that hold one schema, a list of schemas, or schemas by name. */
export const holdOne = [
  "additionalProperties",
  "contains",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
];
export const holdList = ["allOf", "anyOf", "oneOf", "prefixItems"];
export const holdNamed = ["$defs", "dependentSchemas", "patternProperties", "properties"];
/** The schemas inside a schema's keyword. */
export function subschemas(keyword: string, place: Place): readonly Place[] {
  const { node } = place;
  if (holdOne.includes(keyword)) return [place];
  if (holdList.includes(keyword) && node.kind === "list") return node.items.map((item, index) => itemPlace(place, index, item));
  if (holdNamed.includes(keyword) && node.kind === "map") return [...node.entries].map(([name, entry]) => entryPlace(place, name, entry));
  return [];
}

export function mapValue(node: MapNode): JsonSchema {
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainValue(entry.value)]));
}

/** What the validator makes of a schema, or says against it. */
export function compile(schema: JsonSchema, schemas: SchemaEngine): { readonly validate: Validator } | { readonly complaint: string } {
  try {
    return { validate: schemas.validator(schema) };
  } catch (error) {
    return { complaint: error instanceof Error ? error.message : String(error) };
  }
}

/** The validator's complaint at its place. */
export function strictProblem(place: Place, complaint: string): Problem {
  const pointer = /"#(\/[^"]*)?"/.exec(complaint)?.[1] ?? "";
  const detail = complaint.replace(/^strict mode: /, "").replace(/ at (path )?"#[^"]*"( \(\w+\))?$/, "");
  const remedy = "correct the schema: strict mode wants each keyword beside the `type` it is for, and nothing that it would ignore";
  return fault(placeAt(place, pointer), detail, remedy);
}
export function fault(place: Place, detail: string, remedy: string): Problem {
  return problem("manifest-schema", at(place), { detail, remedy });
}
