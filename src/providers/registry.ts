import type { SourceDocument } from "../config/types.ts";
import type { KeptGeneration } from "./kept-generations.ts";
import type { Verdict } from "./provider.ts";
import type { SavedSource, SavedState } from "./saved-state.ts";
import type { Registration } from "./source.ts";
import type { ProviderStatistics } from "./statistics.ts";

/** Merges what the providers deliver and has it applied, one state after the other. */
export interface ProviderRegistry {
  /**
   * Starts the providers. Resolves when each has delivered or failed once and what they delivered was judged, or when what was saved has
   * taken its place.
   */
  start(): Promise<void>;
  /**
   * Starts one more provider, at any time; resolves when it was heard. It takes part from its first delivery on and stops nobody until
   * then, unless nothing is in force yet. Rejects when its name is taken.
   */
  register(registration: Registration): Promise<void>;
  /**
   * Closes a provider and takes out of force what it has delivered. When the rest is refused without it, it stays, and the verdict says
   * why; undefined when it had nothing in force. Rejects when there is no such provider.
   */
  unregister(name: string): Promise<Verdict | undefined>;
  /** Applies the documents again, because something that they refer to has changed. Waits until every provider has delivered. */
  refresh(): Promise<Verdict>;
  /** Takes the documents of an earlier generation into use again; see `create-registry.ts`. */
  rollback(generation: number): Promise<Rollback>;
  /** The last generations, oldest first: what can be rolled back to. */
  kept(): readonly KeptGeneration[];
  state(): readonly ProviderState[];
  /** Closes the providers; resolves when what is being applied has been judged. */
  close(): Promise<void>;
}

export type Applied =
  | Verdict
  /** Given up for something newer: nothing was taken into use and nothing is known of it. */
  | { readonly kind: "superseded" };

export type Rollback =
  | Verdict
  /** No such generation is kept. */
  | { readonly kind: "unknown"; readonly kept: readonly KeptGeneration[] };

export interface ProviderState {
  readonly name: string;
  /** The provider's word for its state in force; undefined before there is one. */
  readonly version: string | undefined;
  /** Its word for what it delivered last. If that is not in force, it was refused, is held, or waits for another provider's first delivery. */
  readonly delivered: string | undefined;
  /** Where its state in force came from: `disk` until it has delivered for the first time. */
  readonly from: "provider" | "disk" | undefined;
  /** What it delivered last is not used because somebody has rolled back from it. */
  readonly held: boolean;
  /** How many problems what it delivered last was refused for. */
  readonly problems: number;
  /** Why the source cannot be read at the moment. */
  readonly failure: string | undefined;
  /** Why the last statistics did not reach it. */
  readonly reportFailure: string | undefined;
}

export interface RegistryHost {
  /** Takes documents into use, all or none. Neither this nor `attempt` is called while one of them is under way. */
  apply(documents: readonly SourceDocument[]): Promise<Verdict>;
  /** The same, but may be given up when the signal fires. */
  attempt(documents: readonly SourceDocument[], superseded: AbortSignal): Promise<Applied>;
  /** Told the verdict on a provider's delivery, also when it was refused before and is taken now that another provider has mended the cause. */
  judged(provider: string, verdict: Verdict): void;
  /** Told once for each failure, not again while it lasts. */
  failed(provider: string, error: Error): void;
  /** What to tell a provider's source; undefined before any generation is in use. */
  statistics(provider: string, delivered: ProviderStatistics["delivered"], kept: readonly KeptGeneration[]): ProviderStatistics | undefined;
  /** Told once for each failure to hand statistics over, not again while it lasts. */
  reportFailed(provider: string, error: Error): void;
  /** Told when what was saved had to be taken, and what came of it. */
  restored(saved: SavedState, verdict: Verdict): void;
  /** Told what is in force now, to be saved. */
  settled(sources: readonly SavedSource[]): void;
  /** Milliseconds since the epoch. */
  now(): number;
  startTimer(milliseconds: number, expired: () => void): () => void;
}
