import { Buffer } from "node:buffer";
import type { KeySet, LookUp } from "@envoy-policy-engine/key-sets";
import { compactVerify, decodeJwt, decodeProtectedHeader, errors, type ProtectedHeaderParameters } from "jose";
import { type Claims, claimsFault, type Expected, type Fault, readClaims } from "./registered-claims.ts";

export interface Issuer extends Expected {
  readonly algorithms: ReadonlySet<string>;
  readonly keys: KeySet;
}

type VerificationKey = Parameters<KeySet["holds"]>[0];

export interface VerifiedToken {
  readonly issuer: Issuer;
  /** The key that its signature was made for. */
  readonly key: VerificationKey;
  readonly claims: Claims;
}

export type Verification =
  | { readonly kind: "verified"; readonly token: VerifiedToken }
  | { readonly kind: "refused"; readonly fault: Fault }
  | Extract<LookUp, { readonly kind: "not-ready" }>;

/**
 * Verifies a compact JWS that holds a JWT, by RFC 8725: the algorithm must be one that the issuer may use and that the key is for; nothing in
 * the header chooses where keys come from; `crit` is refused, for there is no extension that this understands.
 *
 * What is cheap comes first: an expired token costs no signature and no question to its issuer.
 *
 * @param issuers by their name, exactly as in `iss`
 */
export async function verifyToken(text: string, issuers: ReadonlyMap<string, Issuer>, nowMs: number): Promise<Verification> {
  const read = readToken(text);
  if (read === undefined) return refused("jwt-malformed", "it is no signed token");
  const { header, payload } = read;
  const claims = readClaims(payload);
  if ("code" in claims) return { kind: "refused", fault: claims };
  const issuer = issuers.get(claims.iss);
  if (issuer === undefined) return refused("jwt-issuer-unknown", "the token is of an issuer that is not configured");
  const fault = headerFault(header, issuer) ?? claimsFault(claims, issuer, nowMs);
  if (fault !== undefined) return { kind: "refused", fault };
  const { alg: algorithm = "", kid } = header;
  const found = await issuer.keys.lookUp({ kid, algorithm });
  switch (found.kind) {
    case "not-ready":
      return found;
    case "unknown":
      return refused("jwt-key-unknown", found.reason);
    case "found": {
      const key = await signer(text, found.keys, algorithm);
      return key === undefined
        ? refused("jwt-signature-wrong", "no fitting key has made the signature")
        : { kind: "verified", token: { issuer, key, claims } };
    }
    default:
      return found satisfies never;
  }
}

interface ReadToken {
  readonly header: ProtectedHeaderParameters;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** RFC 9068 2.1. */
const accessTokenType = /^(?:application\/)?at\+jwt$/i;
/** RFC 8725 3.11: logout tokens, proofs and the like, which the same issuer may sign for the same audience. `JWT` and other words say nothing. */
const otherType = /\+jwt\s*$/i;

/** What strangers send as kid is remembered for a while when it is unknown. */
const kidCharactersMax = 256;

/** Three parts of base64url (RFC 7515 7.1), the last of them not empty. */
const compact = /^[\w-]+\.[\w-]+\.[\w-]+$/;

function readToken(text: string): ReadToken | undefined {
  if (!compact.test(text)) return undefined;
  // Of the texts that decode to one signature only one is taken (RFC 4648 3.5): nobody makes two tokens of one.
  const signature = text.slice(text.lastIndexOf(".") + 1);
  if (Buffer.from(signature, "base64url").toString("base64url") !== signature) return undefined;
  try {
    return { header: decodeProtectedHeader(text), payload: decodeJwt(text) };
  } catch {
    return undefined;
  }
}

function headerFault({ alg, kid, crit, typ }: ProtectedHeaderParameters, { algorithms }: Issuer): Fault | undefined {
  const name: unknown = kid;
  const type: unknown = typ;
  if (alg === undefined || !algorithms.has(alg)) return { code: "jwt-algorithm-refused", reason: "the issuer may not use this algorithm" };
  if (crit !== undefined) return { code: "jwt-malformed", reason: "it has a critical header (crit)" };
  if (type !== undefined && !(typeof type === "string" && (accessTokenType.test(type) || !otherType.test(type)))) {
    return { code: "jwt-malformed", reason: "its typ says that it is no access token" };
  }
  if (name !== undefined && !(typeof name === "string" && name !== "" && name.length <= kidCharactersMax)) {
    return { code: "jwt-malformed", reason: `its kid is no text of 1 to ${kidCharactersMax} characters` };
  }
  return undefined;
}

async function signer(text: string, keys: readonly VerificationKey[], algorithm: string): Promise<VerificationKey | undefined> {
  for (const key of keys) {
    const material = key.forAlgorithm(algorithm);
    if (material === undefined) continue;
    try {
      await compactVerify(text, material, { algorithms: [algorithm] });
      return key;
    } catch (error) {
      // Anything else is a fault of ours, and the step's failure.
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return undefined;
}

const refused = (code: string, reason: string): Verification => ({ kind: "refused", fault: { code, reason } });
