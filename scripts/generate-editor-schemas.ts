import type { GeneratedFile } from "../builder/generated-file.ts";
import type { PolicyManifest } from "../src/config/types.ts";
import { casesSchema } from "../src/editor-schemas/cases.ts";
import { configSchema } from "../src/editor-schemas/config.ts";
import { decisionSchema } from "../src/editor-schemas/decision.ts";
import { distributionSchema } from "../src/editor-schemas/distribution.ts";
import { explanationSchema, requestSchema } from "../src/editor-schemas/explanation.ts";
import { manifestSchema } from "../src/editor-schemas/manifest.ts";
import { settingsSchema } from "../src/editor-schemas/settings.ts";

/** What `policy-engine schema` prints, as files that the first lines of the examples name. */
export function generateEditorSchemas(manifests: readonly PolicyManifest[]): readonly GeneratedFile[] {
  const schemas = {
    config: configSchema(manifests),
    settings: settingsSchema,
    cases: casesSchema,
    manifest: manifestSchema,
    distribution: distributionSchema,
    decision: decisionSchema,
    request: requestSchema,
    explanation: explanationSchema,
  };
  return Object.entries(schemas).map(([name, schema]) => ({
    path: `schemas/${name}.schema.json`,
    text: `${JSON.stringify(schema, undefined, 2)}\n`,
  }));
}
