// Generated from policy.yaml by `npm run generate`: change that, not this.
import type { Expression, Pattern } from "@envoy-policy-engine/sdk";

/** At least one of the two lists. */
export interface Parameters {
  /**
   * Changes of the request before the upstream sees it, made in the order written: a later change, its condition too, works on what an
   * earlier one left. From 1 to 100.
   */
  readonly request?: readonly Change[];
  /** Changes of the response before the client sees it, on the upstream's answers and on replies; as for `request`. From 1 to 100. */
  readonly response?: readonly Change[];
}

/**
 * One change: exactly one of `set`, `setFrom`, `append`, `appendFrom`, `remove`, `removeMatching`, `rename`. For two changes write two
 * entries.
 */
export interface Change {
  /** Replaces every value of a header by a text. */
  readonly set?: {
    /**
     * Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are
     * Envoy's and the engine's.
     */
    readonly name: string;
    /** The text: at least one character, at most 8192, no control characters (RFC 9110 5.5). For no value at all use `remove`. */
    readonly value: string;
    /**
     * Leaves a header that is already there as it is, even an empty one. Not for a header that says who the caller is: the caller could
     * send it. Default: false.
     */
    readonly ifAbsent: boolean;
    /**
     * CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When
     * it fails, the step fails.
     */
    readonly when?: Expression<boolean>;
  };
  /** Replaces every value of a header by what an expression gives. An empty text means that there is no value: the header is removed. */
  readonly setFrom?: {
    /**
     * Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are
     * Envoy's and the engine's.
     */
    readonly name: string;
    /** CEL expression that gives the text. When it fails, the step fails. */
    readonly expression: Expression<string>;
    /**
     * Leaves a header that is already there as it is, even an empty one. Not for a header that says who the caller is: the caller could
     * send it. Default: false.
     */
    readonly ifAbsent: boolean;
    /**
     * CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When
     * it fails, the step fails.
     */
    readonly when?: Expression<boolean>;
  };
  /** Adds a text as one more value of a header after those that are there. */
  readonly append?: {
    /**
     * Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are
     * Envoy's and the engine's.
     */
    readonly name: string;
    /** The text: at least one character, at most 8192, no control characters (RFC 9110 5.5). For no value at all use `remove`. */
    readonly value: string;
    /**
     * CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When
     * it fails, the step fails.
     */
    readonly when?: Expression<boolean>;
  };
  /** Adds what an expression gives as one more value of a header after those that are there. An empty text adds nothing. */
  readonly appendFrom?: {
    /**
     * Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are
     * Envoy's and the engine's.
     */
    readonly name: string;
    /** CEL expression that gives the text. When it fails, the step fails. */
    readonly expression: Expression<string>;
    /**
     * CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When
     * it fails, the step fails.
     */
    readonly when?: Expression<boolean>;
  };
  /** Removes every value of a header. Nothing happens when it is absent. */
  readonly remove?: {
    /**
     * Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are
     * Envoy's and the engine's.
     */
    readonly name: string;
    /**
     * CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When
     * it fails, the step fails.
     */
    readonly when?: Expression<boolean>;
  };
  /** Removes every header whose name matches a pattern. Names that no policy may change stay. */
  readonly removeMatching?: {
    /**
     * RE2 pattern, tried on the name in lower case. It may match anywhere in the name: begin with `^` for a prefix. Capital letters are
     * refused, because they would never match.
     */
    readonly pattern: Pattern;
    /**
     * CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When
     * it fails, the step fails.
     */
    readonly when?: Expression<boolean>;
  };
  /** Moves every value of the header `from` to the header `to` in place of what that held. Nothing happens when `from` is absent. */
  readonly rename?: {
    /**
     * Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are
     * Envoy's and the engine's.
     */
    readonly from: string;
    /**
     * Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are
     * Envoy's and the engine's.
     */
    readonly to: string;
    /**
     * CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When
     * it fails, the step fails.
     */
    readonly when?: Expression<boolean>;
  };
}
