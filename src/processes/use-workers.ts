/** The configuration path of the parent process: it checks, and its workers prepare and serve. */
import { checkConfig } from "../config/check.ts";
import type { CheckEnvironment, CheckedConfig, SourceDocument } from "../config/types.ts";
import type { InUse, Use } from "../engine/configuration.ts";
import { providerStatistics } from "../engine/provider-statistics.ts";
import { type Candidate, createReloader, type Refusal } from "../engine/reloader.ts";
import { problem } from "../errors.ts";
import { fingerprint } from "../generations/fingerprint.ts";
import { stepLatencyBoundsMs } from "../observe/step-counters.ts";
import type { ChainStatistics } from "../providers/statistics.ts";
import type { Fleet } from "./fleet.ts";
import type { OrderedDocument } from "./protocol.ts";

/** How often the workers are asked to take a configuration: one that dies over something else must not keep it out. */
const attemptsMax = 2;

export function useWorkers(
  fleet: Pick<Fleet, "transact" | "counts">,
  environment: CheckEnvironment,
  now: () => number,
): (before: number) => Use {
  let current: InUse | undefined;
  return (before) => ({
    generations: { current: () => current },
    reloader: createReloader(
      { judge, current: () => current && { fingerprint: fingerprint(current.config), number: current.number } },
      before,
    ),
    statistics(provider, delivered, kept) {
      if (current === undefined) return undefined;
      const { chains, generations } = fleet.counts();
      const byName = new Map(chains.map((one) => [one.chain, one]));
      const { config, committedAt } = current;
      return providerStatistics(provider, {
        current,
        chain: (name) => byName.get(name) ?? idleChain(name, config, committedAt),
        exchanges: (number) => generations.find((one) => one.number === number)?.exchanges,
        delivered,
        kept,
      });
    },
    close: () => {},
  });

  async function judge(documents: readonly SourceDocument[]): Promise<Candidate | Refusal> {
    const checked = checkConfig(documents, environment);
    if ("problems" in checked) return checked;
    const { config } = checked;
    return {
      fingerprint: fingerprint(config),
      take: (number, superseded) => take({ documents, config, number, superseded }),
      drop: () => {},
    };
  }

  async function take({ documents, number, superseded, ...first }: Taking): ReturnType<Candidate["take"]> {
    let { config } = first;
    let detail = "";
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const proposal = { documents: ordered(documents), fingerprint: fingerprint(config), generation: number };
      const result = await fleet.transact(proposal, superseded);
      if (result.kind === "superseded") return result.kind;
      if (result.kind === "refused") return result;
      if (result.kind === "committed") {
        current = { number, hash: config.hash, committedAt: now(), config: Object.freeze({ ...config, warnings: result.warnings }) };
        return { hash: config.hash };
      }
      detail = result.detail;
      // A secret may have been rotated between two readings.
      const again = checkConfig(documents, environment);
      if ("problems" in again) return again;
      config = again.config;
    }
    const uri = documents[0]?.uri ?? "";
    return { problems: [problem("workers-failed", { position: { uri, line: 1, column: 1 }, path: "" }, { detail })] };
  }
}

interface Taking {
  readonly documents: readonly SourceDocument[];
  readonly config: CheckedConfig;
  readonly number: number;
  readonly superseded: AbortSignal | undefined;
}

/** As a worker can take them: what a document may do follows from its provider, which the settings name. */
function ordered(documents: readonly SourceDocument[]): readonly OrderedDocument[] {
  return documents.map(({ uri, text, origin }) => ({ uri, text, provider: origin?.provider ?? "" }));
}

/** What a chain has done that no worker has told of yet. */
function idleChain(name: string, { chains }: CheckedConfig, committedAt: number): ChainStatistics | undefined {
  const chain = chains.get(name);
  const since = new Date(committedAt).toISOString();
  const latency = { sumMs: 0, buckets: Array.from({ length: stepLatencyBoundsMs.length + 1 }, () => 0) };
  const zeros = { since, runs: 0, skips: 0, replies: 0, errors: 0, timeouts: 0, refusals: 0, latency };
  const steps = chain?.steps.map((step) => {
    const { name: policy, version } = step.release.manifest;
    return { step: step.name, policy: `${policy}@${version}`, ...zeros };
  });
  return steps && { chain: name, since, exchanges: 0, steps };
}
