/** Keys and tokens for tests, made with node:crypto, so that what a policy's library would never make can be made. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface TestKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** What an issuer publishes. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

export type Json = Readonly<Record<string, unknown>>;

/** A key for one algorithm. `published` changes what the issuer says of it. */
export function testKey(kid: string, algorithm: string, published: Json = {}): TestKey {
  const { privateKey, publicKey } = pairFor(algorithm);
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg: algorithm, use: "sig", ...published };
  return { kid, algorithm, privateKey, publicKey, jwk: withoutUndefined(jwk) };
}

/** A compact JWS. Header and payload as objects, or as the text that is to be signed. */
export function compact(header: Json | string, payload: Json | string, signature: (input: string) => Buffer): string {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${signature(input).toString("base64url")}`;
}

/** How a key signs. `algorithm` makes it sign with another one than its own. */
export function signer({ privateKey, algorithm: own }: TestKey, algorithm: string = own): (input: string) => Buffer {
  const hash = `sha${algorithm.slice(2)}`;
  switch (algorithm.slice(0, 2)) {
    case "RS":
      return (input) => sign(hash, Buffer.from(input), privateKey);
    case "PS":
      return (input) => sign(hash, Buffer.from(input), { key: privateKey, padding: 6, saltLength: Number(algorithm.slice(2)) / 8 });
    case "ES":
      return (input) => sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
    default:
      return (input) => sign(null, Buffer.from(input), privateKey);
  }
}

export function hmacSigner(secret: string | Buffer): (input: string) => Buffer {
  return (input) => createHmac("sha256", secret).update(input).digest();
}

const encoded = (part: Json | string): string => Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");

function pairFor(algorithm: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  switch (algorithm) {
    case "ES256":
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case "ES384":
      return generateKeyPairSync("ec", { namedCurve: "P-384" });
    case "ES512":
      return generateKeyPairSync("ec", { namedCurve: "P-521" });
    case "EdDSA":
    case "Ed25519":
      return generateKeyPairSync("ed25519");
    default:
      return generateKeyPairSync("rsa", { modulusLength: 2048 });
  }
}

function withoutUndefined(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
}
