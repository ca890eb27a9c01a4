/** The public keys of one issuer: written out in the configuration, in a file, or behind a URI. */
import { X509Certificate } from "node:crypto";
import type { Health, PolicyContext, SharedKey } from "@envoy-policy-engine/sdk";
import { openFileKeys } from "./file-keys.ts";
import { openIssuerKeys } from "./issuer-keys.ts";
import { readKeyTable, type WantedKey } from "./key-table.ts";
import type { VerificationKey } from "./verification-key.ts";

export interface KeySet {
  /** The keys that may have signed a token. A promise only where the issuer is asked; it settles within 750 ms and does not reject. */
  lookUp(wanted: WantedKey): LookUp | Promise<LookUp>;
  /** Whether a key that was found earlier may still be used. */
  holds(key: VerificationKey): boolean;
  health(): Health;
}

export type LookUp =
  | { readonly kind: "found"; readonly keys: readonly VerificationKey[] }
  /** The issuer has no such key, or there is reason not to ask it now. */
  | { readonly kind: "unknown"; readonly reason: string }
  /** There are no keys at all: none were fetched yet, or those that were are too old. */
  | { readonly kind: "not-ready"; readonly retryAfterSeconds: number; readonly reason: string };

/** Where keys come from: exactly one of `keys`, `file` and `uri`. */
export interface KeySource {
  /** JSON Web Keys (RFC 7517 4). */
  readonly keys?: readonly object[];
  /** Path of a JWK set. */
  readonly file?: string;
  /** http or https. */
  readonly uri?: string;
  /** PEM, in place of the certificates that Node trusts. */
  readonly ca?: string;
  readonly refreshSeconds: number;
  readonly staleSeconds: number;
}

/** What a key set takes from a policy's context. */
export type KeySetContext = Pick<PolicyContext, "file" | "now" | "log" | "shared">;

/**
 * Opens a key set. Needs no network: keys behind a URI are fetched in the background, once for all steps that name them in the same way, and
 * until they are there look-ups wait for them or are answered with `not-ready`.
 *
 * @throws when keys that are written out or in a file cannot be used, when `uri` is no address or `ca` no certificate, and when keys would be too
 *   old before they are fetched again; the message is for people
 */
export async function openKeySet(source: KeySource, context: KeySetContext): Promise<KeySet> {
  if (source.uri !== undefined) {
    const { uri, ca, refreshSeconds, staleSeconds } = source;
    // Without the address: a query may hold a secret.
    if (!URL.canParse(uri)) throw new Error("`jwks.uri` is no address: look at its host and port");
    if (ca !== undefined) demandCertificate(ca);
    if (staleSeconds <= refreshSeconds) {
      throw new Error(
        `\`jwks.staleSeconds\` (${staleSeconds}) must be more than \`refreshSeconds\` (${refreshSeconds}): no keys would last`,
      );
    }
    const issuer = { uri, ca, refreshMs: refreshSeconds * 1000, staleMs: staleSeconds * 1000 };
    // One for all steps, and one that outlives a change of the configuration: the keys are there although the issuer may be away.
    const key: SharedKey<KeySet> = { name: JSON.stringify(["key-sets", issuer]) };
    return context.shared(key, (shared) => openIssuerKeys(issuer, shared));
  }
  if (source.file !== undefined) return openFileKeys(source.file, context);
  return writtenKeys(source.keys ?? []);
}

function demandCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw new Error("`jwks.ca` is no certificate: it begins with `-----BEGIN CERTIFICATE-----`");
  }
}

async function writtenKeys(keys: readonly unknown[]): Promise<KeySet> {
  const table = await readKeyTable({ keys });
  // Whoever wrote a key by hand wants it to count.
  const [fault] = table.ignored;
  if (fault !== undefined) throw new Error(`\`jwks.keys\`: ${fault}`);
  return {
    lookUp(wanted) {
      const found = table.find(wanted);
      return found.length > 0 ? { kind: "found", keys: found } : { kind: "unknown", reason: "no configured key fits" };
    },
    holds: table.holds,
    health: () => ({ ready: true, detail: `${table.size} keys, written in the configuration` }),
  };
}
