import { holdList, holdNamed, holdOne } from "../config/schema-parts.ts";
import type { JsonSchema, PolicyManifest } from "../config/types.ts";

/** Keywords of ours, and one that only our validator understands. */
const dropped: ReadonlySet<string> = new Set(["x-expression", "x-regex", "x-secret", "discriminator"]);

/** What a text must be; a reference to a secret, or an escaped one, is something else before it is resolved. */
const textRules: ReadonlySet<string> = new Set(["pattern", "minLength", "maxLength"]);

/**
 * A policy's parameter schema as one of several under the `$defs` of another: what editors understand of it, with references that lead there,
 * and with secret references wherever a text may stand. It refuses nothing that the engine takes, except a secret in the place of a choice.
 */
export function parametersSchema({ parameters }: PolicyManifest, place: string): JsonSchema {
  return schemaFor(parameters, place);
}

function schemaFor(schema: JsonSchema, place: string): JsonSchema {
  const kept = Object.entries(schema).filter(([keyword]) => !dropped.has(keyword));
  const written = Object.fromEntries(kept.map(([keyword, value]) => [keyword, valueFor(keyword, value, place)]));
  return written.type === "string" ? withSecrets(written) : written;
}

function valueFor(keyword: string, value: unknown, place: string): unknown {
  if (keyword === "$ref" && typeof value === "string") return value.replace(/^#/, place);
  if (holdOne.includes(keyword) && isSchema(value)) return schemaFor(value, place);
  if (holdList.includes(keyword) && Array.isArray(value)) return value.map((each) => (isSchema(each) ? schemaFor(each, place) : each));
  if (holdNamed.includes(keyword) && isSchema(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, isSchema(each) ? schemaFor(each, place) : each]));
  }
  return value;
}

function withSecrets(schema: JsonSchema): JsonSchema {
  const rules = Object.entries(schema).filter(([keyword, value]) => textRules.has(keyword) && !(keyword === "pattern" && isForRe2(value)));
  const others = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !textRules.has(keyword)));
  if (rules.length === 0) return others;
  const { type: _, ...about } = others;
  return {
    ...about,
    anyOf: [
      { type: "string", ...Object.fromEntries(rules) },
      { type: "string", pattern: "\\$\\{" },
    ],
  };
}

/** Editors have the regular expressions of JavaScript. */
function isForRe2(pattern: unknown): boolean {
  try {
    new RegExp(String(pattern), "u");
    return false;
  } catch {
    return true;
  }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
