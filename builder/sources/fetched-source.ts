import type { LockedSource } from "../distribution/lock.ts";
import type { Npm } from "../npm.ts";

/** What the sources of a distribution are resolved with. */
export interface SourceContext {
  /** The folder of the distribution's manifest. */
  readonly home: string;
  /** How the folder of the manifest is called in messages; empty for the current one. */
  readonly shownHome: string;
  /** A new folder for what is unpacked. */
  readonly scratch: string;
  /** Keeps tarballs by their hash. */
  readonly cache: string;
  readonly npm: Npm;
}

/** A tarball that has been found, held to the lock, and unpacked. */
export interface FetchedSource {
  readonly folder: string;
  readonly locked: LockedSource;
}
