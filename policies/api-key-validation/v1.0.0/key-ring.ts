import { Buffer } from "node:buffer";
import { hash, timingSafeEqual } from "node:crypto";
import type { Auth } from "@envoy-policy-engine/sdk";
import type { Key, Parameters } from "./parameters.ts";

export interface BoundKey {
  readonly auth: Auth;
  /** Milliseconds since the epoch; infinity when it never expires. */
  readonly expiresMs: number;
  /** The first of the required scopes that the key does not have. */
  readonly lackedScope: string | undefined;
  /** For the log: whose key it is, and which one. */
  readonly title: string;
}

export interface KeyRing {
  find(key: Uint8Array): BoundKey | undefined;
}

/** Holds digests only. Throws on a digest given twice, on the digest of nothing and on a date that does not exist. */
export function createKeyRing(keys: Parameters["keys"], requiredScopes: readonly string[]): KeyRing {
  const byDigest = new Map<string, { readonly digest: Buffer; readonly key: BoundKey }>();
  keys.forEach((entry, index) => {
    const digest = entry.digest.toLowerCase();
    const place = `\`keys[${index}]\` of \`${entry.owner}\``;
    if (digest === digestOfNothing) throw new Error(`${place} is the digest of an empty key: was the variable unset when it was made?`);
    const earlier = byDigest.get(digest);
    if (earlier !== undefined) throw new Error(`${place} has the same digest as ${earlier.key.title}: one key cannot be two, remove one`);
    byDigest.set(digest, { digest: asBytes(digest), key: bindKey(entry, requiredScopes, place) });
  });
  return {
    find(key) {
      const digest = hash("sha256", key, "hex");
      const entry = byDigest.get(digest);
      // The look-up may show in its timing how much of a digest fits, which says nothing about a key; the verdict itself shows nothing.
      return entry !== undefined && timingSafeEqual(entry.digest, asBytes(digest)) ? entry.key : undefined;
    },
  };
}

/** Only to be compared, so its digits need not be read. */
const asBytes = (digest: string): Buffer => Buffer.from(digest, "latin1");

function bindKey(entry: Key, requiredScopes: readonly string[], place: string): BoundKey {
  const { owner, scopes, label, expires } = entry;
  return {
    auth: Object.freeze({ method: "api-key", subject: owner, ...(scopes !== undefined && { scopes }) }),
    expiresMs: expires === undefined ? Number.POSITIVE_INFINITY : instant(expires, place),
    lackedScope: requiredScopes.find((scope) => !scopes?.includes(scope)),
    title: label === undefined ? `a key of \`${owner}\`` : `the key \`${label}\` of \`${owner}\``,
  };
}

function instant(text: string, place: string): number {
  const milliseconds = Date.parse(text);
  // The second look: Date.parse takes 30 February for 2 March.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== text.replace("Z", ".000Z")) {
    throw new Error(`${place} expires at \`${text}\`, which does not exist: write UTC as \`2027-01-01T00:00:00Z\``);
  }
  return milliseconds;
}

/** SHA-256 of no bytes at all. */
const digestOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
