/**
 * What a provider's source is told of what it has delivered: the numbers of the metrics. All counts are totals since the `since` beside them, so
 * that a report that is lost loses nothing; a later `since` means that the count began anew. Plain JSON; times are RFC 3339.
 */
export interface ProviderStatistics {
  readonly provider: string;
  /** Number of the generation in use. */
  readonly generation: number;
  /** What this provider delivered last; null while what is in use of it comes from disk. */
  readonly delivered: DeliveryStatistics | null;
  /** The last generations of this process, newest first. */
  readonly generations: readonly GenerationStatistics[];
  /** The chains in use that this provider delivered, in alphabetical order. */
  readonly chains: readonly ChainStatistics[];
  /** Upper bounds of the buckets of `latency`, included, milliseconds. */
  readonly latencyBoundsMs: readonly number[];
  /** How many chains there was no room for; 0 unless they have more than 5,000 steps together. */
  readonly omittedChains: number;
}

export interface DeliveryStatistics {
  /** In the provider's own word. */
  readonly version: string;
  /** `waiting`: it is still to be judged. `held`: somebody has rolled back from it. */
  readonly outcome: "in-use" | "refused" | "held" | "waiting";
  /** Why it is refused, a line for each problem; null where it is not. */
  readonly refusal: string | null;
}

export interface GenerationStatistics {
  readonly number: number;
  /** Content hash. */
  readonly hash: string;
  /** When it came into use. */
  readonly since: string;
  /** The state of this provider that it was made of, in the provider's own word; null: of none. */
  readonly version: string | null;
  /** Exchanges that it has served or refused, on all routes. */
  readonly exchanges: number;
}

export interface ChainStatistics {
  readonly chain: string;
  readonly since: string;
  /** Exchanges given to the chain, those refused before its first step included. */
  readonly exchanges: number;
  readonly steps: readonly StepStatistics[];
}

/** Both phases together: a step with two handlers runs twice in an exchange. A step that never took part has zeros. */
export interface StepStatistics {
  readonly step: string;
  /** `policy@version` */
  readonly policy: string;
  readonly since: string;
  /** Handler calls, however they ended. */
  readonly runs: number;
  readonly skips: number;
  readonly replies: number;
  /** Handlers that failed for other reasons than time. */
  readonly errors: number;
  readonly timeouts: number;
  /** Times that the step could not have the body it needs, and the engine answered. */
  readonly refusals: number;
  readonly latency: {
    readonly sumMs: number;
    /** Calls in each bucket, not cumulative; the last is what took longer than all bounds. */
    readonly buckets: readonly number[];
  };
}
