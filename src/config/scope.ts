/**
 * The variables of every expression. This list and what the worker supplies for each exchange must be the same.
 */
import type { Field, Scope, ValueType } from "../expressions/expression.ts";
import type { JsonSchema } from "./types.ts";

/** A shared metadata key as it stands before a step. */
export interface WrittenKey {
  readonly schema: JsonSchema;
  /** False when every earlier step that writes it may be skipped. */
  readonly certain: boolean;
}

const text: Field = { type: { kind: "string" } };
const integer: Field = { type: { kind: "int" } };
const headers: Field = { type: { kind: "map", of: { kind: "string" }, lowerCaseKeys: true } };

/** Why nothing can be said about `metadata`, and nothing should be. */
const metadataUnknown = "an earlier step's policy is not known, and so is what it writes";

/** The body as JSON. Missing when there is none or it is no JSON; whoever reads it makes the step wait for the whole body. */
const json: Field = { type: { kind: "dyn" }, optional: true };

/**
 * What an expression may read, given the metadata that earlier steps of its chain write; `unknown` after a step whose policy could not be
 * found: what it would have written cannot be told from a mistake.
 */
export function stepScope(written: ReadonlyMap<string, WrittenKey>, metadata: "known" | "unknown"): Scope {
  return {
    request: record({
      // Path without the query.
      path: text,
      method: text,
      query: text,
      host: text,
      scheme: text,
      headers,
      id: text,
      time: { type: { kind: "timestamp" } },
      json,
    }),
    source: record({ address: text, port: integer }),
    route: record({
      name: text,
      // The Envoy route's `filter_metadata: { policy.engine: ... }`: Envoy prints a value as text and must be asked for each key by name.
      metadata: { type: { kind: "map", of: { kind: "string" }, constantKeysOnly: true } },
    }),
    response: record({ status: integer, headers, json }),
    metadata: metadata === "known" ? metadataRecord(written) : { type: { kind: "dyn" }, unavailable: metadataUnknown },
  };
}

function record(fields: Readonly<Record<string, Field>>): Field {
  return { type: { kind: "record", fields } };
}

function metadataRecord(written: ReadonlyMap<string, WrittenKey>): Field {
  return record(
    Object.fromEntries([...written].map(([key, { schema, certain }]) => [key, { type: schemaType(schema), optional: !certain }])),
  );
}

/** What a JSON Schema says about a value, as far as conditions need it; whatever is not plain is dynamic. */
export function schemaType(schema: unknown): ValueType {
  if (typeof schema !== "object" || schema === null || !("type" in schema)) return { kind: "dyn" };
  const { type } = schema;
  if (type === "string") return { kind: "string" };
  if (type === "boolean") return { kind: "bool" };
  if (type === "integer") return { kind: "int" };
  if (type === "number") return { kind: "double" };
  if (type === "array") return { kind: "list", of: schemaType("items" in schema ? schema.items : undefined) };
  return type === "object" ? objectType(schema) : { kind: "dyn" };
}

function objectType(schema: object): ValueType {
  const properties = "properties" in schema && typeof schema.properties === "object" ? (schema.properties ?? {}) : undefined;
  const others = "additionalProperties" in schema ? schema.additionalProperties : undefined;
  if (properties === undefined) return { kind: "map", of: schemaType(others) };
  const required: readonly unknown[] = "required" in schema && Array.isArray(schema.required) ? schema.required : [];
  const fields = Object.entries(properties).map(
    ([name, part]) => [name, { type: schemaType(part), optional: !required.includes(name) }] as const,
  );
  return { kind: "record", fields: Object.fromEntries(fields) };
}
