import { sdkGeneration } from "../config/manifest.ts";
import type { JsonSchema, PolicyRelease } from "../config/types.ts";

/** A made-up policy that stands before the one under test, for those that write this metadata in a real chain; it sets the values, if there are any. */
export function metadataWriter(
  name: string,
  writes: Readonly<Record<string, JsonSchema>>,
  values: Readonly<Record<string, unknown>>,
): PolicyRelease {
  return {
    manifest: {
      name,
      version: "1.0.0",
      summary: "Stands for the steps before.",
      sdk: sdkGeneration,
      protects: false,
      metadata: { reads: [], writes },
      mutates: [],
      headers: { request: [], response: [] },
      replies: "sometimes",
      parameters: { type: "object", additionalProperties: false },
    },
    definition: {
      create: () => ({
        request: (exchange) => {
          for (const [key, value] of Object.entries(values)) exchange.metadata.set({ name: key }, value);
        },
      }),
    },
    source: "",
    hash: "",
  };
}
