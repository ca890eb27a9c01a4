/** Pieces of the JSON Schemas that editors complete and check our documents with. */
import type { JsonSchema } from "../config/types.ts";

export const dialect = "https://json-schema.org/draft/2020-12/schema";

/** Names of chains, steps and providers; see `checkName`. */
export const namePattern = "^[A-Za-z0-9](?:[\\w.-]{0,61}[A-Za-z0-9])?$";

const number = "(?:0|[1-9]\\d{0,8})";
const identifier = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][\\dA-Za-z-]*)";

/** Semantic versions; see `parseVersion`. */
export const versionPattern: string = `^${number}\\.${number}\\.${number}(?:-${identifier}(?:\\.${identifier})*)?$`;

/** A map with fixed keys. */
export function map(description: string, properties: JsonSchema, required: readonly string[] = []): JsonSchema {
  return { description, type: "object", additionalProperties: false, ...(required.length === 0 ? {} : { required }), properties };
}

/** A map whose keys are the user's. Nothing written means no entries. */
export function entries(description: string, values: JsonSchema, keys: JsonSchema = {}): JsonSchema {
  return { description, type: ["object", "null"], propertyNames: keys, additionalProperties: values };
}

export function list(description: string, items: JsonSchema, bounds: JsonSchema = {}): JsonSchema {
  return { description, type: "array", ...bounds, items };
}

/** Text that is not blank. */
export function text(description: string, more: JsonSchema = {}): JsonSchema {
  return { description, type: "string", pattern: "\\S", ...more };
}

export function flag(description: string, otherwise: boolean): JsonSchema {
  return { description, type: "boolean", default: otherwise };
}

export function choice(description: string, choices: readonly string[], otherwise: string): JsonSchema {
  return { description, enum: choices, default: otherwise };
}

export function duration(description: string, more: JsonSchema = {}): JsonSchema {
  return { description, type: "string", pattern: "^\\d{1,12}(?:ms|s|m)$", ...more };
}

export function size(description: string, more: JsonSchema = {}): JsonSchema {
  return { description, type: "string", pattern: "^\\d{1,12}(?:B|KiB|MiB|GiB)$", ...more };
}

export const formatVersion: JsonSchema = { description: "The format of this document.", const: 1 };

/** `if`, `then` and `else`. Not as a literal: an object with `then` looks like a promise. */
export function conditional(condition: JsonSchema, rule: JsonSchema, otherwise?: JsonSchema): JsonSchema {
  const keywords: readonly (readonly [string, JsonSchema | undefined])[] = [
    ["if", condition],
    ["then", rule],
    ["else", otherwise],
  ];
  return Object.fromEntries(keywords.filter(([, schema]) => schema !== undefined));
}
