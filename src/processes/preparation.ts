import type { SourceDocument } from "../config/types.ts";
import type { Problem } from "../errors.ts";
import { fingerprint } from "../generations/fingerprint.ts";
import type { Prepared } from "../generations/generation.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import { type PrepareEnvironment, prepare } from "../generations/prepare.ts";

/** A worker's part of a transaction: at most one generation is prepared and not committed. */
export interface Preparation {
  /** `dropped`: somebody has dropped it, or prepared another one, meanwhile. */
  prepare(transaction: number, documents: readonly SourceDocument[]): Promise<Outcome | "dropped">;
  /** Takes what was prepared into use. Throws when it was dropped, or never prepared. */
  commit(transaction: number, generation: number): void;
  /** Gives back what is prepared; with a number only what this transaction has. */
  drop(transaction?: number): void;
}

export type Outcome = { readonly fingerprint: string; readonly warnings: readonly Problem[] } | { readonly problems: readonly Problem[] };

export function createPreparation({
  generations,
  environment,
}: {
  readonly generations: GenerationHolder;
  readonly environment: PrepareEnvironment;
}): Preparation {
  let pending: { readonly transaction: number; prepared: Prepared | undefined } | undefined;

  const drop = (transaction?: number): void => {
    if (pending === undefined || (transaction !== undefined && pending.transaction !== transaction)) return;
    pending.prepared?.release();
    pending = undefined;
  };
  return {
    async prepare(transaction, documents) {
      drop();
      const mine: NonNullable<typeof pending> = { transaction, prepared: undefined };
      pending = mine;
      const result = await prepare(documents, environment);
      if (pending !== mine) {
        if ("prepared" in result) result.prepared.release();
        return "dropped";
      }
      if ("problems" in result) {
        pending = undefined;
        return result;
      }
      mine.prepared = result.prepared;
      const { config } = result.prepared;
      return { fingerprint: fingerprint(config), warnings: config.warnings };
    },
    commit(transaction, generation) {
      if (pending?.transaction !== transaction || pending.prepared === undefined) {
        throw new Error(`transaction ${transaction} is to be committed, and nothing of it is prepared`);
      }
      generations.commit(pending.prepared, generation);
      pending = undefined;
    },
    drop,
  };
}
