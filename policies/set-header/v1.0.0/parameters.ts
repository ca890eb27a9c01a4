// Generated from policy.yaml by `npm run generate`: change that, not this.
import type { Expression } from "@envoy-policy-engine/sdk";

/** At least one of the two lists. */
export interface Parameters {
  /**
   * Changes of the request before the upstream sees it, made in the order written: a later change works on what an earlier one left. From 1
   * to 100.
   */
  readonly request?: readonly Change[];
  /** Changes of the response before the client sees it, on the upstream's answers and on replies; as for `request`. From 1 to 100. */
  readonly response?: readonly Change[];
}

/** One change: the `name` of a header and exactly one of `set`, `setFrom`, `append`, `appendFrom`, `remove`. */
export interface Change {
  /**
   * Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are
   * Envoy's and the engine's.
   */
  readonly name: string;
  /** Replaces every value of the header by this text. May be empty; no control characters (RFC 9110 5.5); at most 8192 characters. */
  readonly set?: string;
  /** Replaces every value of the header by what this CEL expression gives, an empty text too. When the expression fails, the step fails. */
  readonly setFrom?: Expression<string>;
  /** Adds this text as one more value after those that are there. At most 8192 characters, no control characters. */
  readonly append?: string;
  /** Adds what this CEL expression gives as one more value after those that are there. When the expression fails, the step fails. */
  readonly appendFrom?: Expression<string>;
  /** Removes every value of the header. Nothing happens when it is absent. */
  readonly remove?: true;
}
