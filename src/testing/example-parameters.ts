import type { JsonSchema } from "../config/types.ts";

/** Parameters made of a schema's own examples: its first one, else the first one of each property that has some. */
export function exampleParameters(schema: JsonSchema): unknown {
  const [whole] = examplesOf(schema);
  if (whole !== undefined) return whole;
  const properties = typeof schema.properties === "object" && schema.properties !== null ? Object.entries(schema.properties) : [];
  return Object.fromEntries(
    properties.flatMap(([name, property]: [string, unknown]) => {
      const [example] = examplesOf(property);
      return example === undefined ? [] : [[name, example]];
    }),
  );
}

function examplesOf(schema: unknown): readonly unknown[] {
  return typeof schema === "object" && schema !== null && "examples" in schema && Array.isArray(schema.examples) ? schema.examples : [];
}
