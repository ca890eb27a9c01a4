import type { Where } from "../../src/errors.ts";
import type { PolicyFolder } from "../discover.ts";

/** A version of a policy that a distribution takes, as files on this machine. */
export interface FoundPolicy {
  /** Its `source` is for messages: a path that whoever wrote the distribution knows. */
  readonly folder: PolicyFolder;
  /** Where exactly it comes from, for the lock and `list`; the same on every machine. */
  readonly source: string;
  /** What asked for it. */
  readonly where: Where;
}
