import { type CryptoKey, importJWK, type JWK } from "jose";

/** A public key that may verify signatures. Of two sets that follow each other, an unchanged key is the same object. */
export interface VerificationKey {
  readonly kid: string | undefined;
  /** Tells keys apart: equal for equal key material, `kid` and `alg`. */
  readonly identity: string;
  /** The key bound to one algorithm; undefined when it is not for this algorithm. */
  forAlgorithm(algorithm: string): CryptoKey | undefined;
}

/** RFC 7518 3.3 and 3.5 for RSA. */
const modulusBitsMin = 2048;
const kidCharactersMax = 256;
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * Checks and imports a JWK (RFC 7517 4). Members that point to other keys (`x5u`, `x5c` ...) are not looked at.
 *
 * @returns the key, or why it cannot be used, for people and without key material
 */
export async function verificationKey(jwk: unknown, known: ReadonlyMap<string, VerificationKey>): Promise<VerificationKey | string> {
  if (!isRecord(jwk)) return "it is no object";
  const fault = memberFault(jwk);
  if (fault !== undefined) return fault;
  const { kty, crv, n, e, x, y, alg, kid } = jwk;
  const identity = JSON.stringify([kty, crv, n, e, x, y, alg, kid]);
  const same = known.get(identity);
  if (same !== undefined) return same;
  const fitting = fittingAlgorithms(jwk).filter((algorithm) => alg === undefined || alg === algorithm);
  if (fitting.length === 0)
    return `there is no supported algorithm for it (kty ${printable(kty)}, crv ${printable(crv)}, alg ${printable(alg)})`;
  const material = Object.fromEntries(Object.entries({ kty, crv, n, e, x, y }).filter(([, value]) => value !== undefined));
  const imported = new Map<string, CryptoKey>();
  for (const algorithm of fitting) {
    const key = await importPublic(material, algorithm);
    if (typeof key === "string") return key;
    imported.set(algorithm, key);
  }
  return { kid: typeof kid === "string" ? kid : undefined, identity, forAlgorithm: (algorithm) => imported.get(algorithm) };
}

function memberFault(jwk: Readonly<Record<string, unknown>>): string | undefined {
  const { kty, kid, use, key_ops: operations } = jwk;
  if (kty === "oct") return "it is symmetric: whoever could verify with it could also sign";
  if (privateMembers.some((member) => member in jwk)) return "it is a private key: take it out of use, and publish its public part only";
  if (kid !== undefined && (typeof kid !== "string" || kid === "" || kid.length > kidCharactersMax)) {
    return `its kid is no text of 1 to ${kidCharactersMax} characters`;
  }
  if (use !== undefined && use !== "sig") return "it is not for signatures (use)";
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return "it is not for verifying (key_ops)";
  return undefined;
}

/** Asymmetric algorithms only (RFC 7518 3.1, RFC 8037, RFC 9864): with a symmetric one, whoever verifies could sign. */
function fittingAlgorithms({ kty, crv }: Readonly<Record<string, unknown>>): readonly string[] {
  switch (kty) {
    case "RSA":
      return ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    case "EC":
      return crv === "P-256" ? ["ES256"] : crv === "P-384" ? ["ES384"] : crv === "P-521" ? ["ES512"] : [];
    case "OKP":
      return crv === "Ed25519" ? ["EdDSA", "Ed25519"] : [];
    default:
      return [];
  }
}

async function importPublic(material: JWK, algorithm: string): Promise<CryptoKey | string> {
  let key: CryptoKey | Uint8Array;
  try {
    key = await importJWK(material, algorithm);
  } catch {
    return "its key material is broken";
  }
  if (key instanceof Uint8Array) return "it is symmetric: whoever could verify with it could also sign";
  return weakness(key) ?? key;
}

/** RFC 8725 3.5. */
function weakness({ algorithm }: CryptoKey): string | undefined {
  if (!("modulusLength" in algorithm) || !("publicExponent" in algorithm)) return undefined;
  const { modulusLength, publicExponent } = algorithm;
  if (typeof modulusLength !== "number" || modulusLength < modulusBitsMin) return `it is weak: RSA needs ${modulusBitsMin} bits or more`;
  const exponent = publicExponent instanceof Uint8Array ? publicExponent : new Uint8Array();
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1;
  const isOne = exponent.every((byte, index) => byte === (index === exponent.length - 1 ? 1 : 0));
  return isOdd && !isOne ? undefined : "it is weak: its public exponent is even or 1";
}

const printable = (value: unknown): string =>
  value === undefined
    ? "none"
    : String(value)
        .replace(/[^\x21-\x7e]/g, "?")
        .slice(0, 32);

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
