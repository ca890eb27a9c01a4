// Generated from policy.yaml by `npm run generate`: change that, not this.
import type { Pattern } from "@envoy-policy-engine/sdk";

/** At least one of the two directions. */
export interface Parameters {
  /** What is masked in requests before the upstream sees them. */
  readonly request?: Direction;
  /** What is masked in responses, replies included, before the client sees them. */
  readonly response?: Direction;
}

/** What is masked in the bodies of one direction. */
export interface Direction {
  /** Applied in the order written, each to what the one before has left; values at a `path` first. From 1 to 100. */
  readonly rules: readonly Rule[];
  /**
   * What becomes of a body that cannot be masked: of a content type that is neither JSON, JSON lines, server-sent events nor text, in
   * another character set than UTF-8, or of text when there are only rules with `path`. `deny` answers 415 to a request and 502 in place of
   * a response; `pass` lets it through as it is. Default: "deny".
   */
  readonly otherContent: "deny" | "pass";
  /**
   * What is held of a body at most, in bytes: a JSON document, an event, a line, or a text when a pattern has no bound. A larger one ends
   * the exchange. From 1024 to 10485760, 10 MiB. Default: 1048576.
   */
  readonly heldBytesMax: number;
}

/**
 * What is masked, exactly one of `detect`, `pattern` and `path`, and what takes its place: `replaceWith`, followed by what `keepLast` or
 * `hmacKey` adds.
 */
export interface Rule {
  /**
   * A kind of data. `email`: an address with a domain of two or more labels. `credit-card`: 13 to 19 digits with a right check digit,
   * together or in the groups of a card. `iban`: an account number with right check digits, together or in groups of four.
   */
  readonly detect?: "email" | "credit-card" | "iban";
  /**
   * RE2 pattern, matched on decoded text: in JSON on every string, number and member name. It may match anywhere; one that matches the
   * empty text is refused. With a bound on its length (`{1,64}`, not `+`) text is masked as it passes.
   */
  readonly pattern?: Pattern;
  /**
   * JSONPath (RFC 9535) with names, indices, `*` and `..`; filters, slices and lists of selectors are refused. Whatever stands there is
   * replaced by a string, also a number, an object or null.
   */
  readonly path?: string;
  /** What takes the place of a match. At most 256 characters, no control characters. Default: "***". */
  readonly replaceWith: string;
  /** The last characters of what is masked that stay behind `replaceWith`, but never more than half of it. From 1 to 16. */
  readonly keepLast?: number;
  /**
   * Adds a pseudonym: 32 hexadecimal digits of HMAC-SHA256 over what is masked, the same for the same text. From 16 to 256 characters; use
   * a reference such as `${env:MASK_KEY}`. Not together with `keepLast`.
   */
  readonly hmacKey?: string;
}
