import type { CheckedConfig, SourceDocument } from "../config/types.ts";
import type { ErrorCode, Problem } from "../errors.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import { type PrepareEnvironment, prepare } from "../generations/prepare.ts";
import type { Verdict } from "../providers/provider.ts";

/** Takes new documents into use, or keeps the running generation and says why. */
export interface Reloader {
  /** One at a time; the caller sees to the order. Never rejects because of the documents. */
  apply(documents: readonly SourceDocument[]): Promise<Verdict>;
  state(): ReloadState;
}

export interface ReloadState {
  readonly accepted: number;
  readonly unchanged: number;
  /** Refusals by the code of their first problem. */
  readonly refused: ReadonlyMap<ErrorCode, number>;
  /** The problems of the latest delivery if it was refused; empty when the latest was taken. */
  readonly problems: readonly Problem[];
}

/** @param before number of the last generation of an earlier process; 0: there was none that is known */
export function createReloader(environment: PrepareEnvironment, holder: GenerationHolder, before: number): Reloader {
  let last = before;
  let accepted = 0;
  let unchanged = 0;
  const refused = new Map<ErrorCode, number>();
  let problems: readonly Problem[] = [];

  return {
    async apply(documents) {
      const result = await prepare(documents, environment);
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
      const { number, hash } = holder.commit(result.prepared, ++last);
      return { kind: "accepted", generation: number, hash };
    },
    state: () => ({ accepted, unchanged, refused, problems }),
  };
}

/** Two configurations are one if their text, the secrets behind it and those who delivered it are. */
function fingerprint({ hash, chains, routeSources }: CheckedConfig): string {
  const resolved = [...chains.values()].map(({ provider, steps }) => [provider, ...steps.map(({ parametersHash }) => parametersHash)]);
  return JSON.stringify([hash, resolved, [...routeSources.values()].map(({ provider }) => provider)]);
}
