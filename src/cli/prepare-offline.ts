import { createSchemaEngine } from "../config/schema-engine.ts";
import type { CheckEnvironment, EnvoyPromises, PolicyRegistry, SourceDocument } from "../config/types.ts";
import { createPolicyHost } from "../engine/policy-host.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import { type PrepareResult, prepare } from "../generations/prepare.ts";
import { createSecrets, type Secrets } from "../generations/secrets.ts";
import { createChainCounters } from "../observe/chain-counters.ts";
import { createLog } from "../observe/log.ts";
import { createPolicyCounters } from "../observe/policy-counters.ts";
import { createProbes } from "../observe/probes.ts";
import { createStepCounters } from "../observe/step-counters.ts";
import { createInstancePool } from "../worker/instances.ts";
import type { PolicyHost } from "../worker/policy-host.ts";

/** What a command checks configurations with: this process's environment variables and files, the policies that are compiled in. */
export interface OfflineEnvironment extends CheckEnvironment {
  readonly secrets: Secrets;
}

/** Says on standard error when RE2 itself is missing. */
export function offlineEnvironment(policies: PolicyRegistry, envoy: EnvoyPromises): OfflineEnvironment {
  const { engine: patterns, warning } = loadPatternEngine();
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
  const secrets = createSecrets(process.env);
  return { policies, schemas: createSchemaEngine(patterns), secret: secrets.read, envoy, secrets };
}

/** What policies have where nothing is served: clock, timers and files, and no network. */
export function offlineHost({ redact }: Secrets): PolicyHost {
  const log = createLog({ level: "error", redact, destination: process.stderr });
  return {
    ...createPolicyHost(log, {
      counters: createStepCounters(),
      chainCounters: createChainCounters(),
      policyCounters: createPolicyCounters(),
      probes: createProbes(),
    }),
    // A policy whose background work has begun must not reach anybody from here.
    fetch: async () => Promise.reject(new Error("this command makes no calls")),
  };
}

/** As `serve` prepares a configuration, each policy's `create` included, but nothing is served. Whoever gets a result releases it. */
export function prepareOffline(
  documents: readonly SourceDocument[],
  { secrets, ...environment }: OfflineEnvironment,
): Promise<PrepareResult> {
  return prepare(documents, { ...environment, instances: createInstancePool(offlineHost(secrets)), redact: secrets.redact });
}
