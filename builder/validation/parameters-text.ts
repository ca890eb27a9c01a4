import type { PolicyManifest } from "../../src/config/types.ts";
import { generateParameters } from "../generate-parameters.ts";

/** What `parameters.ts` must be, or what in the schema has no type. */
export function parametersText(manifest: PolicyManifest): { readonly text: string } | { readonly untyped: string } {
  try {
    return { text: generateParameters(manifest) };
  } catch (error) {
    return { untyped: error instanceof Error ? error.message : String(error) };
  }
}
