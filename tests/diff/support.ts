import { createSchemaEngine } from "../../src/config/schema-engine.ts";
import type { EnvoyPromises, PolicyRegistry, SourceDocument } from "../../src/config/types.ts";
import type { EnvoySide } from "../../src/diff/diff-envoy.ts";
import { chainDemands } from "../../src/envoy-config/demands.ts";
import { loadPatternEngine } from "../../src/expressions/patterns.ts";
import { prepare } from "../../src/generations/prepare.ts";
import { createSecrets } from "../../src/generations/secrets.ts";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import { testHost } from "../../src/testing/test-engine.ts";
import { createInstancePool } from "../../src/worker/instances.ts";

const schemas = createSchemaEngine(loadPatternEngine().engine);

/** A document as `diff` takes it, checked and bound. Throws where it is refused. */
export async function sideOf(document: SourceDocument, policies: PolicyRegistry, envoy: EnvoyPromises): Promise<EnvoySide> {
  const secrets = createSecrets({ KEY: "hush-hush", KEY_SHA256: "ab".repeat(32) });
  const result = await prepare([document], {
    policies,
    schemas,
    secret: secrets.read,
    envoy,
    instances: createInstancePool(testHost({ counters: createStepCounters() }, () => 0)),
    redact: secrets.redact,
  });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems, undefined, 2));
  const { config, chains, release } = result.prepared;
  const demands = chainDemands(config, chains, envoy.bodyBytesMax);
  release();
  return { config, demands };
}
