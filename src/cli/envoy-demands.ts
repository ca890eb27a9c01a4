import { availableParallelism } from "node:os";
import { formatProblems } from "../config/problems.ts";
import type { Settings } from "../config/settings.ts";
import type { PolicyRegistry } from "../config/types.ts";
import { workerCount } from "../config/workers.ts";
import { type EnvoyDemands, envoyDemands } from "../envoy-config/demands.ts";
import { readDocuments } from "./documents.ts";
import { offlineEnvironment, prepareOffline } from "./prepare-offline.ts";

export interface ReadDemands {
  readonly demands: EnvoyDemands;
  /** Of the configuration. */
  readonly hash: string;
}

/**
 * What a configuration demands of Envoy: that of `files`, or of the settings' file providers when there are none. Undefined when it is refused;
 * why has then been printed.
 */
export async function readDemands(
  files: readonly string[],
  settings: Settings,
  policies: PolicyRegistry,
): Promise<ReadDemands | undefined> {
  const paths = files.length > 0 ? files : settings.providers.flatMap((provider) => (provider.kind === "file" ? provider.paths : []));
  if (paths.length === 0) throw new Error("the settings' providers read from elsewhere: name files or folders with the configuration");
  const result = await prepareOffline(await readDocuments(paths), offlineEnvironment(policies, settings.envoy));
  if ("problems" in result) {
    // Whoever reads standard output waits for something else.
    process.stderr.write(`${formatProblems(result.problems)}\nthe configuration is refused: nothing can be said about Envoy's\n`);
    return undefined;
  }
  const { config, chains, release } = result.prepared;
  const demands = envoyDemands({ ...settings, workers: workerCount(settings.workers, availableParallelism()) }, config, chains);
  release();
  return { demands, hash: config.hash };
}
