import type { CheckedConfig, SourceDocument } from "../config/types.ts";
import type { ErrorCode, Problem } from "../errors.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import { type PrepareEnvironment, type PrepareResult, prepare } from "../generations/prepare.ts";
import type { Preparer } from "../generations/prepare-unless-superseded.ts";
import type { Verdict } from "../providers/provider.ts";
import type { Applied } from "../providers/registry.ts";

/** Takes new documents into use, or keeps the running generation and says why. */
export interface Reloader {
  /** One at a time, `attempt` included; the caller sees to the order. Never rejects because of the documents. */
  apply(documents: readonly SourceDocument[]): Promise<Verdict>;
  /** The same, but may be given up, with nothing changed, when the signal fires; see `createPreparer`. */
  attempt(documents: readonly SourceDocument[], superseded: AbortSignal): Promise<Applied>;
  state(): ReloadState;
}

export interface ReloadState {
  readonly accepted: number;
  readonly unchanged: number;
  /** Given up for something newer. */
  readonly superseded: number;
  /** Refusals by the code of their first problem. */
  readonly refused: ReadonlyMap<ErrorCode, number>;
  /** The problems of the latest delivery if it was refused; empty when the latest was taken. */
  readonly problems: readonly Problem[];
}

export function createReloader(environment: PrepareEnvironment, preparer: Preparer, holder: GenerationHolder): Reloader {
  let accepted = 0;
  let unchanged = 0;
  let superseded = 0;
  const refused = new Map<ErrorCode, number>();
  let problems: readonly Problem[] = [];

  return {
    apply: async (documents) => settle(await prepare(documents, environment)),
    async attempt(documents, signal) {
      const result = await preparer.prepare(documents, signal);
      if (result !== "superseded") return settle(result);
      superseded += 1;
      return { kind: "superseded" };
    },
    state: () => ({ accepted, unchanged, superseded, refused, problems }),
  };

  function settle(result: PrepareResult): Verdict {
    if ("problems" in result) {
      problems = result.problems;
      const code = problems.find(({ severity }) => severity === "error")?.code ?? "no-configuration";
      refused.set(code, (refused.get(code) ?? 0) + 1);
      return { kind: "refused", problems };
    }
    problems = [];
    const current = holder.current();
    if (current !== undefined && fingerprint(current.config) === fingerprint(result.prepared.config)) {
      unchanged += 1;
      result.prepared.release();
      return { kind: "unchanged", generation: current.number };
    }
    accepted += 1;
    const { number, hash } = holder.commit(result.prepared);
    return { kind: "accepted", generation: number, hash };
  }
}

/** Two configurations are one if their text, the secrets behind it and those who delivered it are. */
function fingerprint({ hash, chains, routeSources }: CheckedConfig): string {
  const resolved = [...chains.values()].map(({ provider, steps }) => [provider, ...steps.map(({ parametersHash }) => parametersHash)]);
  return JSON.stringify([hash, resolved, [...routeSources.values()].map(({ provider }) => provider)]);
}
