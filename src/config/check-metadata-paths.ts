/** Whether what the settings send to Envoy is there to be sent. */
import { problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import type { MetadataPath } from "./metadata-paths.ts";
import type { Report } from "./read.ts";
import type { CheckedChain } from "./types.ts";

/** Warns of values that no step of any chain writes: they would be missing without a word. */
export function checkMetadataPaths(paths: readonly MetadataPath[], chains: Iterable<CheckedChain>, report: Report): void {
  if (paths.length === 0) return;
  const steps = [...chains].flatMap((chain) => chain.steps);
  const written = steps.flatMap(({ release }) => Object.entries(release.manifest.metadata.writes));
  for (const { text, keys, where } of paths) {
    const [key, ...inside] = keys;
    if (written.some(([name, schema]) => name === key && mayHold(schema, inside))) continue;
    const known = [
      ...new Set(written.flatMap(([name, schema]) => [name, ...propertiesOf(schema).map((property) => `${name}.${property}`)])),
    ].sort();
    report(problem("settings-metadata-unwritten", where, { value: text, suggestion: suggest(text, known), known }));
  }
}

/** Whether a value of this schema can have something there; where the schema does not tell, it can. */
function mayHold(schema: unknown, inside: readonly string[]): boolean {
  const [name, ...rest] = inside;
  if (name === undefined || !isRecord(schema)) return true;
  const { type, properties, additionalProperties } = schema;
  if (typeof type === "string" && type !== "object") return false;
  if (isRecord(properties) && Object.hasOwn(properties, name)) return mayHold(properties[name], rest);
  return additionalProperties !== false && mayHold(additionalProperties, rest);
}

function propertiesOf(schema: unknown): readonly string[] {
  return isRecord(schema) && isRecord(schema.properties) ? Object.keys(schema.properties) : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
