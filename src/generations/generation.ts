import type { CheckedConfig } from "../config/types.ts";
import type { Chain } from "../worker/chain.ts";

/** One immutable whole of the configuration, ready to serve. */
export interface Generation {
  /** One more with each commit; over restarts too where the last good generation is kept on disk, else from 1. */
  readonly number: number;
  readonly hash: string;
  /** Milliseconds since the epoch. */
  readonly committedAt: number;
  readonly chains: ReadonlyMap<string, Chain>;
  readonly config: CheckedConfig;
  /** Keeps the generation open until `unpin`; an exchange pins the one it started with, once: pins are counted as exchanges. */
  pin(): void;
  unpin(): void;
}

/** A generation that is prepared but serves nothing yet. */
export interface Prepared {
  readonly config: CheckedConfig;
  readonly chains: ReadonlyMap<string, Chain>;
  /** Gives the instances back. Called once: by the holder when the generation is closed, or by whoever drops it uncommitted. */
  release(): void;
}
