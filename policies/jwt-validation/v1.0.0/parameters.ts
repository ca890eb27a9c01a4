// Generated from policy.yaml by `npm run generate`: change that, not this.

/** Whose tokens are taken, and what is told to the upstream. */
export interface Parameters {
  /** Who issues the tokens, exactly as in their claim `iss`. */
  readonly issuer: string;
  /**
   * Whom a token must be for: one of its `aud`. Without it a token for anybody is taken, which is right only where the issuer issues tokens
   * for nobody else.
   */
  readonly audience?: string;
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
  /**
   * Claims that become request headers. What the client sent under these names is removed first, also when the claim is absent. At most 32.
   * Default: [].
   */
  readonly claimsToHeaders: readonly ClaimToHeader[];
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

/** A claim and its header. */
export interface ClaimToHeader {
  /** The name of the claim. */
  readonly claim: string;
  /** The request header, in any case; not `authorization`, `cookie`, hop-by-hop or `x-envoy*` names. At most 64 characters. */
  readonly header: string;
}
