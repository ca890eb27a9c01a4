/** Demands as cases write them, and those of the runnable examples. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultEnvoyPromises, parseSettings } from "../../../src/config/settings.ts";
import type { EnvoyPromises, PolicyRegistry, RoutingMutation, Unmatched } from "../../../src/config/types.ts";
import { workerCount } from "../../../src/config/workers.ts";
import { type ChainNeeds, type EnvoyDemands, type EnvoySettings, envoyDemands } from "../../../src/envoy-config/demands.ts";
import { prepare } from "../../../src/generations/prepare.ts";
import { createStepCounters } from "../../../src/observe/step-counters.ts";
import { testHost } from "../../../src/testing/test-engine.ts";
import { createInstancePool } from "../../../src/worker/instances.ts";
import { testEnvironment, testSchemas } from "../support.ts";

export interface WrittenDemands {
  /** Over the defaults, with overrides allowed. */
  readonly settings?: Partial<EnvoyPromises>;
  readonly listen?: EnvoySettings["listen"];
  readonly tls?: NonNullable<EnvoySettings["tls"]>;
  readonly workers?: number;
  readonly drainDelayMs?: number;
  /** `~` is the empty chain. */
  readonly routes?: Readonly<Record<string, string | null>>;
  readonly unmatched?: Unmatched;
  readonly chains?: Readonly<Record<string, WrittenChain>>;
}

export interface WrittenChain extends Partial<ChainNeeds> {
  readonly mutates?: readonly RoutingMutation[];
  /** Attributes. */
  readonly reads?: readonly string[];
}

/** Without anything written: the chain `api` with a response handler on the route `orders`, and the route `health` without a chain. */
export function writtenDemands(written: WrittenDemands): EnvoyDemands {
  const envoy = { ...defaultEnvoyPromises, allowModeOverride: true, ...written.settings };
  const { routes = { orders: "api", health: null }, chains = { api: { responseHeaders: true } } } = written;
  return {
    settings: {
      listen: written.listen ?? [{ kind: "tcp", host: "127.0.0.1", port: 9100 }],
      tls: written.tls,
      workers: written.workers ?? 1,
      envoy,
      shutdown: { drainDelayMs: written.drainDelayMs ?? 3000, graceMs: 30_000 },
    },
    routes: new Map(Object.entries(routes).map(([route, chain]) => [route, chain ?? undefined])),
    unmatched: written.unmatched ?? { kind: "deny" },
    chains: new Map(
      Object.entries(chains).map(([name, { mutates = [], reads = [], ...needs }]) => [
        name,
        {
          needs: { requestBody: "none", responseHeaders: false, responseBody: "none", ...needs },
          bodyBytesMax: envoy.bodyBytesMax,
          mutates: new Set(mutates),
          attributes: new Map(reads.map((attribute) => [attribute, `chains.${name}.steps[0]`])),
        },
      ]),
    ),
  };
}

/** What settings and a configuration demand, with policies that are really there. Throws when one of the two is refused. */
export async function demandsOf(settingsText: string, configText: string, policies: PolicyRegistry): Promise<EnvoyDemands> {
  const parsed = parseSettings({ uri: "settings.yaml", text: settingsText }, "/etc/engine");
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems, null, 2));
  const result = await prepare([{ uri: "policies.yaml", text: configText }], {
    ...testEnvironment(testSchemas()),
    envoy: parsed.settings.envoy,
    policies,
    instances: createInstancePool(testHost({ counters: createStepCounters() }, () => 0)),
    redact: (text) => text,
  });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems, null, 2));
  const { config, chains, release } = result.prepared;
  release();
  return envoyDemands({ ...parsed.settings, workers: workerCount(parsed.settings.workers, 1) }, config, chains);
}

/** The text of a file in `configs/`. */
export function exampleText(path: string): string {
  return readFileSync(join(fileURLToPath(new URL("../../../configs", import.meta.url)), path), "utf8");
}
