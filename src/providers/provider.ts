/**
 * Where configuration comes from. Adding a provider is one file that implements this.
 */
import type { SourceDocument } from "../config/types.ts";
import type { Problem } from "../errors.ts";
import type { ProviderStatistics } from "./statistics.ts";

export interface Provider {
  /** Unique among the providers of an engine: `file`, `file:2`. Shown in logs and metrics. */
  readonly name: string;
  /**
   * Starts delivering to the sink and returns once the first delivery was judged, or at once when the source is away: start never
   * rejects because of the source. Called once.
   */
  start(sink: ProviderSink): Promise<void>;
  /**
   * The verdict on what it delivered last is another one than `update` came to: what was refused because of another provider is in use
   * since that one has mended it, or a rollback holds it back. Not told of a delivery that is still to be judged, nor after `close`. It may
   * be told in the same moment in which `update` resolves. A source that takes no answer leaves it out.
   */
  rejudged?(verdict: Verdict): void;
  /** Stops watching and polling. Idempotent; nothing is delivered afterwards. */
  close(): Promise<void>;
}

export interface ProviderSink {
  /**
   * All documents of the provider as they are now; an earlier delivery is replaced whole. `version` is the provider's own word for this
   * state (a content hash, an ETag). Resolves with the verdict; the running generation stays when it is a refusal. The first verdict waits
   * until every provider has delivered. Rejects only when applying is broken, never because of the documents.
   */
  update(documents: readonly SourceDocument[], version: string): Promise<Verdict>;
  /** There is nothing to deliver yet, and nothing is wrong: the start of the engine does not wait for it. */
  waiting(): void;
  /** The source is away or unreadable. The last good configuration stays. */
  failed(error: Error): void;
  /** What has become of what the provider delivered, for sources that want to know; undefined before any generation is in use. */
  statistics(): ProviderStatistics | undefined;
  /** The source has got the statistics; with an error, it has not. Nothing else depends on it. */
  reported(failure: Error | undefined): void;
}

export type Verdict =
  /** `hash` is the content hash of the generation. */
  | { readonly kind: "accepted"; readonly generation: number; readonly hash: string }
  | { readonly kind: "unchanged"; readonly generation: number }
  /** Somebody has rolled back from these documents: they are not used until the provider delivers others. */
  | { readonly kind: "held"; readonly generation: number }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };
