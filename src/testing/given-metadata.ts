import type { JsonSchema, PolicyRegistry, PolicyRelease } from "../config/types.ts";
import { metadataWriter } from "./metadata-writer.ts";

/** A policy that stands before the one under test and writes what a case gives, with the schema of the policy that writes it in a real chain. */
export function givenMetadata(values: Readonly<Record<string, unknown>>, policies: PolicyRegistry): PolicyRelease {
  const writes = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, writtenSchema(key, policies) ?? schemaOf(value)]));
  return metadataWriter("given-metadata", writes, values);
}

function writtenSchema(key: string, policies: PolicyRegistry): JsonSchema | undefined {
  for (const { manifest } of policies.values()) {
    const schema = manifest.metadata.writes[key];
    if (schema !== undefined) return schema;
  }
  return undefined;
}

/** The schema of exactly this value, for a key that no known policy writes. */
function schemaOf(value: unknown): JsonSchema {
  if (Array.isArray(value)) return { type: "array", items: schemaOf(value[0] ?? "") };
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return {
      type: "object",
      properties: Object.fromEntries(entries.map(([name, part]) => [name, schemaOf(part)])),
      required: entries.map(([name]) => name),
    };
  }
  return { type: typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : "string" };
}
