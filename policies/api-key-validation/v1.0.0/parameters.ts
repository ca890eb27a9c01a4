// Generated from policy.yaml by `npm run generate`: change that, not this.

/** Where keys are looked for, and which there are. */
export interface Parameters {
  /**
   * Where a key may be. All places are looked at, and a request may carry one key only: two are answered with 400. From 1 to 8. Default:
   * [{"in":"header","name":"x-api-key"}].
   */
  readonly places: readonly Place[];
  /**
   * The keys that are accepted. An owner can have several at once, so that a key is replaced without a gap. An empty list lets nobody in.
   * At most 10000.
   */
  readonly keys: readonly Key[];
  /** Scopes that a key must have, all of them; else the answer is 403. At most 100. Default: []. */
  readonly requiredScopes: readonly Scope[];
  /**
   * Leaves the key in the request. By default it is taken out, so that upstreams, their logs and whoever reads them never have it. Default:
   * false.
   */
  readonly forward: boolean;
  /**
   * What the key is for, shown to the client in `WWW-Authenticate` (RFC 9110 11.5). Visible ASCII and blanks without quotes and backslash,
   * at most 100 characters. Default: "api".
   */
  readonly realm: string;
}

/** A header, query parameter or cookie. */
export interface Place {
  /**
   * `header`: the whole value is the key. `query`: prefer a header where you can, queries end up in logs and browser histories. `cookie`:
   * needs a defence against cross-site request forgery.
   */
  readonly in: "header" | "query" | "cookie";
  /**
   * Name of the header (in any case), query parameter or cookie (both exactly as written). Letters, digits, `.`, `_` and `-`, at most 64
   * characters.
   */
  readonly name: string;
}

/** One key. */
export interface Key {
  /**
   * SHA-256 of the key, 64 hexadecimal digits, as `printf %s "$KEY" | sha256sum` prints it. May be a reference such as
   * `${env:PARTNER_KEY_SHA256}`.
   */
  readonly digest: string;
  /** Who uses the key: becomes `metadata.auth.subject`. From 1 to 256 characters, no control characters. */
  readonly owner: string;
  /** What the key may do; becomes `metadata.auth.scopes`. Visible ASCII without quotes and backslash (RFC 6749 3.3). At most 100. */
  readonly scopes?: readonly Scope[];
  /** From this moment on the key is refused; in UTC, written as `2027-01-01T00:00:00Z`. Without it the key never expires. */
  readonly expires?: string;
  /** Tells an owner's keys apart in logs. At most 256 characters, no control characters. */
  readonly label?: string;
}

/** What a key may do. */
export type Scope = string;
