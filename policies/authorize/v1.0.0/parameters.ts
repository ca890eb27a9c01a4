// Generated from policy.yaml by `npm run generate`: change that, not this.
import type { Expression } from "@envoy-policy-engine/sdk";

/** The rules. */
export interface Parameters {
  /**
   * Tried in the order written; the first whose condition holds decides, and the rest is not looked at. When none holds, or there is none,
   * the request is denied with 403. At most 100.
   */
  readonly rules: readonly Rule[];
}

/** One rule: exactly one of `allow` and `deny`. */
export interface Rule {
  /** Lets the request go on when its condition holds. */
  readonly allow?: {
    /**
     * CEL condition. When it fails while a request is judged, the step fails and the request is denied with 500: nothing is decided by a
     * rule that could not be asked. `"true"` for a rule that always holds.
     */
    readonly when: Expression<boolean>;
    /**
     * Names the rule in logs, metrics, explanations and, for `allow`, in `metadata.authorization.code`. Kebab-case, at most 64 characters.
     */
    readonly code: string;
    /** For people who read the log or an explanation; never sent to the client. At most 256 characters. */
    readonly reason?: string;
  };
  /** Answers the request when its condition holds. */
  readonly deny?: {
    /**
     * CEL condition. When it fails while a request is judged, the step fails and the request is denied with 500: nothing is decided by a
     * rule that could not be asked. `"true"` for a rule that always holds.
     */
    readonly when: Expression<boolean>;
    /**
     * Names the rule in logs, metrics, explanations and, for `allow`, in `metadata.authorization.code`. Kebab-case, at most 64 characters.
     */
    readonly code: string;
    /** For people who read the log or an explanation; never sent to the client. At most 256 characters. */
    readonly reason?: string;
    /**
     * HTTP status of the answer, from 400 to 599. 401 is for a caller who is not known yet and needs a `challenge`; 403 for one who is
     * known and may not; 404 hides that there is something. Default: 403.
     */
    readonly status: number;
    /**
     * Value of `WWW-Authenticate` (RFC 9110 11.6.1): how to authenticate. A 401 must have one. Visible ASCII and blanks, at most 1024
     * characters.
     */
    readonly challenge?: string;
  };
}
