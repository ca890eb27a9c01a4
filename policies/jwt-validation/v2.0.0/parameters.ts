// Generated from policy.yaml by `npm run generate`: change that, not this.

/** Whose tokens are taken, where they are looked for, what they must allow, and what is told to the upstream. */
export interface Parameters {
  /** Whose tokens are taken. From 1 to 20. */
  readonly issuers: readonly Issuer[];
  /**
   * Where a token may be. All places are looked at, and a request may carry one token only: two are answered with 400. From 1 to 8.
   * Default: [{"in":"header","name":"authorization"}].
   */
  readonly token: readonly Place[];
  /** How far the clocks of issuers and of this machine may be apart, when `exp` and `nbf` are judged. From 0 to 300. Default: 30. */
  readonly clockSkewSeconds: number;
  /** What a good token must allow; else the answer is 403. Default: {}. */
  readonly require: {
    /** Scopes, from `scope` (RFC 8693 4.2) or `scp`. Both lists must hold; an empty one demands nothing. Default: {}. */
    readonly scopes: {
      /** All of these. At most 32. Default: []. */
      readonly allOf: readonly Scope[];
      /** One of these. At most 32. Default: []. */
      readonly anyOf: readonly Scope[];
    };
    /** Claims. Both lists must hold; an empty one demands nothing. Default: {}. */
    readonly claims: {
      /** All of these. At most 32. Default: []. */
      readonly allOf: readonly ClaimCondition[];
      /** One of these. At most 32. Default: []. */
      readonly anyOf: readonly ClaimCondition[];
    };
  };
  /**
   * Claims that become request headers. What the client sent under these names is removed first, also when the claim is absent. At most 32.
   * Default: [].
   */
  readonly claimsToHeaders: readonly ClaimToHeader[];
  /**
   * Names of claims that steps after this one can read as `metadata.auth.claims`. Method, subject, issuer and scopes are always there. At
   * most 32. Default: [].
   */
  readonly claimsToMetadata: readonly string[];
  /**
   * Leaves the token in the request. By default it is taken out, so that upstreams, their logs and whoever reads them never have it.
   * Default: false.
   */
  readonly forward: boolean;
  /**
   * What the token is for, shown to the client in `WWW-Authenticate` (RFC 9110 11.5). Visible ASCII and blanks without quotes and
   * backslash, at most 100 characters. Default: "api".
   */
  readonly realm: string;
}

/** An issuer and its keys. */
export interface Issuer {
  /** Who issues the tokens, exactly as in their claim `iss`. */
  readonly issuer: string;
  /**
   * Whom a token must be for: one of these must be one of its `aud`. Empty takes a token for anybody, which is right only where the issuer
   * issues tokens for nobody else. At most 32. Default: [].
   */
  readonly audiences: readonly string[];
  /**
   * The algorithms that the issuer may sign with. By default all that are supported; a key is good only for those that fit its type and its
   * own `alg`. Symmetric ones and `none` do not exist here. Default:
   * ["RS256","RS384","RS512","PS256","PS384","PS512","ES256","ES384","ES512","EdDSA","Ed25519"].
   */
  readonly algorithms: ReadonlyArray<"RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519">;
  /** The issuer's public keys, from exactly one place: `uri` (fetched and kept fresh), `file` (watched) or `keys` (written here). */
  readonly jwks: {
    /**
     * Where the issuer publishes its JWK set (RFC 7517 5): https, or http on this machine only. Redirects are refused, an answer may have
     * 512 KiB and 100 keys and take 5 s.
     */
    readonly uri?: string;
    /**
     * Certificates as PEM that vouch for the issuer's server, in place of those that Node trusts. Usually a reference such as
     * `${file:/etc/ssl/private-ca.pem}`.
     */
    readonly ca?: string;
    /** How old keys from a `uri` are when they are fetched again, at most. From 10 to 86400. Default: 300. */
    readonly refreshSeconds: number;
    /**
     * How old keys from a `uri` may become while the issuer is away; older ones verify nothing, and the answer is 503. More than
     * `refreshSeconds`, from 60 to 604800. Default: 86400.
     */
    readonly staleSeconds: number;
    /**
     * Path of a JWK set; a relative one starts at the working directory of the engine. A change takes effect without a restart, a broken
     * one changes nothing.
     */
    readonly file?: string;
    /** JSON Web Keys (RFC 7517 4), public ones. From 1 to 100. */
    readonly keys?: readonly Jwk[];
  };
}

/** A public key. What an issuer publishes can be copied as it is; members that say nothing here are ignored. */
export interface Jwk {
  /** The type of the key. */
  readonly kty: "RSA" | "EC" | "OKP";
  /** The name that tokens call it by. */
  readonly kid?: string;
  /** The only algorithm it is for. Without it: every one that fits its type. */
  readonly alg?: string;
  /** What it is for: `sig`. */
  readonly use?: string;
  /** What it is for: `verify` must be among them. */
  readonly key_ops?: readonly string[];
  /** RSA: the modulus, 2048 bits or more. */
  readonly n?: string;
  /** RSA: the public exponent. */
  readonly e?: string;
  /** EC and OKP: the curve, `P-256`, `P-384`, `P-521` or `Ed25519`. */
  readonly crv?: string;
  /** EC and OKP: the point, or its x. */
  readonly x?: string;
  /** EC: the point's y. */
  readonly y?: string;
  /** Ignored. */
  readonly ext?: boolean;
  /** Ignored. */
  readonly x5c?: readonly string[];
  /** Ignored. */
  readonly x5t?: string;
  /** Ignored. */
  readonly "x5t#S256"?: string;
  /** Ignored. */
  readonly x5u?: string;
}

/** A header, cookie or query parameter. */
export interface Place {
  /**
   * `header`: in `authorization` the token follows `Bearer`, in any other it is the whole value. `cookie`: needs a defence against
   * cross-site request forgery. `query`: prefer a header where you can (RFC 6750 2.3), queries end up in logs and browser histories.
   */
  readonly in: "header" | "cookie" | "query";
  /**
   * Name of the header (in any case), cookie or query parameter (both exactly as written). Letters, digits, `.`, `_` and `-`, at most 64
   * characters.
   */
  readonly name: string;
}

/** A scope: visible ASCII without quotes and backslash (RFC 6749 3.3). */
export type Scope = string;

/** The claim is one of the values, or a list with one of them. Numbers and booleans are compared as JSON writes them. */
export interface ClaimCondition {
  /** The name of a claim, or the names on the way to one inside of another. */
  readonly claim: string | readonly string[];
  /** From 1 to 100. */
  readonly values: readonly string[];
}

/** A claim and its header. */
export interface ClaimToHeader {
  /** The name of a claim, or the names on the way to one inside of another. */
  readonly claim: string | readonly string[];
  /** The request header, in any case; not `authorization`, `cookie`, hop-by-hop or `x-envoy*` names. At most 64 characters. */
  readonly header: string;
}
