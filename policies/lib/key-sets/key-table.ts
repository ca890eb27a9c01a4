import { type VerificationKey, verificationKey } from "./verification-key.ts";

/** The keys of one state of a key set. */
export interface KeyTable {
  readonly size: number;
  /** Keys that were there but cannot be used, and why; one line each. */
  readonly ignored: readonly string[];
  /** Every key by its identity. */
  readonly byIdentity: ReadonlyMap<string, VerificationKey>;
  /** The keys that fit, at most 4; empty when there are none. */
  find(wanted: WantedKey): readonly VerificationKey[];
  holds(key: VerificationKey): boolean;
}

/** What the header of a token asks for. */
export interface WantedKey {
  /** Undefined when the token names none: then every key that fits the algorithm may have signed it. */
  readonly kid: string | undefined;
  readonly algorithm: string;
}

/** A key set is somebody else's document: what it makes the engine do has a bound. */
const keysMax = 100;
/** Each of them costs one verification. */
const candidatesMax = 4;

/**
 * Reads a JWK set (RFC 7517 5). Keys that cannot be used are left out, as the RFC asks for.
 *
 * @param before the state before, whose unchanged keys are kept
 * @throws when it is no key set, or has more than 100 keys, or none that can be used; the message is for people
 */
export async function readKeyTable(document: unknown, before?: KeyTable): Promise<KeyTable> {
  const jwks = keysOf(document);
  const results = await Promise.all(jwks.map((jwk) => verificationKey(jwk, before?.byIdentity ?? new Map())));
  const keys = results.filter((result) => typeof result !== "string");
  const ignored = results.flatMap((result, index) => (typeof result === "string" ? [`key ${index + 1} is not used: ${result}`] : []));
  if (keys.length === 0) throw new Error(["there is no key that could verify a token", ...ignored.slice(0, 3)].join("; "));
  const byIdentity = new Map(keys.map((key) => [key.identity, key]));
  const byKid = Map.groupBy(byIdentity.values(), ({ kid }) => kid);
  return {
    size: byIdentity.size,
    ignored,
    byIdentity,
    find({ kid, algorithm }) {
      const named = kid === undefined ? [...byIdentity.values()] : (byKid.get(kid) ?? []);
      return named.filter((key) => key.forAlgorithm(algorithm) !== undefined).slice(0, candidatesMax);
    },
    holds: (key) => byIdentity.get(key.identity) === key,
  };
}

/** Reads the text of a JWK set. */
export async function parseKeyTable(text: string, before?: KeyTable): Promise<KeyTable> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error("it is no JSON");
  }
  return readKeyTable(document, before);
}

function keysOf(document: unknown): readonly unknown[] {
  const keys: unknown = typeof document === "object" && document !== null && "keys" in document ? document.keys : undefined;
  if (!Array.isArray(keys)) throw new Error("it is no key set: there is no list `keys` in it");
  if (keys.length > keysMax) throw new Error(`it has ${keys.length} keys, more than ${keysMax}`);
  return keys;
}
