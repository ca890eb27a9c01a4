import type { SchemaEngine } from "../src/config/schema-engine.ts";
import type { Npm } from "./npm.ts";

/** What the steps of one build share. */
export interface BuildContext {
  /** The checkout whose engine goes into the distribution. */
  readonly engineRoot: string;
  /** Keeps what need not be fetched or proven again, by its hash. Nothing breaks when it is removed. */
  readonly cache: string;
  /** A folder of this build's own, removed at its end. */
  readonly scratch: string;
  readonly schemas: SchemaEngine;
  readonly npm: Npm;
  /** Something that has changed, or is not as good as it could be. */
  readonly notice: (text: string) => void;
  /** What a tool has printed. */
  readonly output: (tool: string, text: string) => void;
}

/** What the lock file is to a build. */
export type LockMode =
  /** Versions come from it; what else has changed is taken over and said. */
  | "use"
  /** Anything that is not as it says stops the build. */
  | "enforce"
  /** Versions are looked up anew, hashes taken over and said. */
  | "renew";
