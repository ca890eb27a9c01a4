import type { SourceDocument } from "../config/types.ts";
import type { ErrorCode, Problem } from "../errors.ts";
import type { Verdict } from "../providers/provider.ts";
import type { Applied } from "../providers/registry.ts";

/** Takes new documents into use, or keeps the running generation and says why. */
export interface Reloader {
  /** One at a time, `attempt` included; the caller sees to the order. Never rejects because of the documents. */
  apply(documents: readonly SourceDocument[]): Promise<Verdict>;
  /** The same, but may be given up, with nothing changed, when the signal fires; see `createSuperseding`. */
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

/** Where generations come into use: in this process, or in its workers. Who passes no signal never hears `superseded`. */
export interface ReloadTarget {
  /** Everything that can be found out beforehand, beside the running generation. */
  judge(documents: readonly SourceDocument[], superseded?: AbortSignal): Promise<Candidate | Refusal | "superseded">;
  /** Fingerprint of the generation in use, and its number. */
  current(): { readonly fingerprint: string; readonly number: number } | undefined;
}

export interface Candidate {
  readonly fingerprint: string;
  /** Takes it into use under this number, or nowhere; resolves with its content hash. Called once, unless `drop` is. */
  take(number: number, superseded?: AbortSignal): Promise<{ readonly hash: string } | Refusal | "superseded">;
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
  let superseded = 0;
  const refused = new Map<ErrorCode, number>();
  let problems: readonly Problem[] = [];

  return {
    async apply(documents) {
      const applied = await run(documents);
      if (applied.kind === "superseded") throw new Error("a configuration was given up that nothing was to supersede");
      return applied;
    },
    attempt: run,
    state: () => ({ accepted, unchanged, superseded, refused, problems }),
  };

  async function run(documents: readonly SourceDocument[], signal?: AbortSignal): Promise<Applied> {
    const candidate = await target.judge(documents, signal);
    if (candidate === "superseded") return giveUp();
    if ("problems" in candidate) return refuse(candidate);
    const current = target.current();
    if (current?.fingerprint === candidate.fingerprint) {
      problems = [];
      unchanged += 1;
      candidate.drop();
      return { kind: "unchanged", generation: current.number };
    }
    const taken = await candidate.take(last + 1, signal);
    if (taken === "superseded") return giveUp();
    if ("problems" in taken) return refuse(taken);
    problems = [];
    accepted += 1;
    last += 1;
    return { kind: "accepted", generation: last, hash: taken.hash };
  }

  function giveUp(): Applied {
    superseded += 1;
    return { kind: "superseded" };
  }

  function refuse(refusal: Refusal): Verdict {
    problems = refusal.problems;
    const code = problems.find(({ severity }) => severity === "error")?.code ?? "no-configuration";
    refused.set(code, (refused.get(code) ?? 0) + 1);
    return { kind: "refused", problems };
  }
}
