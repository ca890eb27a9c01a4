import type { SourceDocument } from "../config/types.ts";
import type { ErrorCode, Problem } from "../errors.ts";
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

/** Where generations come into use: in this process, or in its workers. */
export interface ReloadTarget {
  /** Everything that can be found out beforehand, beside the running generation. */
  judge(documents: readonly SourceDocument[]): Promise<Candidate | Refusal>;
  /** Fingerprint of the generation in use, and its number. */
  current(): { readonly fingerprint: string; readonly number: number } | undefined;
}

export interface Candidate {
  readonly fingerprint: string;
  /** Takes it into use under this number, or nowhere; resolves with its content hash. Called once, unless `drop` is. */
  take(number: number): Promise<{ readonly hash: string } | Refusal>;
  drop(): void;
}

export interface Refusal {
  readonly problems: readonly Problem[];
}

/** @param before number of the last generation of an earlier process; 0: there was none that is known */
export function createReloader(target: ReloadTarget, before: number): Reloader {
  let last = before;
  let accepted = 0;
  let unchanged = 0;
  const refused = new Map<ErrorCode, number>();
  let problems: readonly Problem[] = [];

  const refuse = (refusal: Refusal): Verdict => {
    problems = refusal.problems;
    const code = problems.find(({ severity }) => severity === "error")?.code ?? "no-configuration";
    refused.set(code, (refused.get(code) ?? 0) + 1);
    return { kind: "refused", problems };
  };
  return {
    async apply(documents) {
      const candidate = await target.judge(documents);
      if ("problems" in candidate) return refuse(candidate);
      const current = target.current();
      if (current?.fingerprint === candidate.fingerprint) {
        problems = [];
        unchanged += 1;
        candidate.drop();
        return { kind: "unchanged", generation: current.number };
      }
      const taken = await candidate.take(last + 1);
      if ("problems" in taken) return refuse(taken);
      problems = [];
      accepted += 1;
      last += 1;
      return { kind: "accepted", generation: last, hash: taken.hash };
    },
    state: () => ({ accepted, unchanged, refused, problems }),
  };
}
