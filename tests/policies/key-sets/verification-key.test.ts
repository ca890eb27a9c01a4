import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openKeySet } from "../../../policies/lib/key-sets/key-set.ts";
import { testKey } from "../jwt/signing.ts";
import { testIssuer } from "./issuer.ts";

const ec = testKey("ec", "ES256");
const rsa = testKey("rsa", "RS256", { alg: undefined });
const ed = testKey("ed", "EdDSA", { alg: undefined });
const { x, y } = ec.jwk;
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
const short = generateKeyPairSync("rsa", { modulusLength: 2040 }).publicKey.export({ format: "jwk" });

const open = (keys: readonly object[]) => {
  const { context } = testIssuer();
  return openKeySet({ keys, refreshSeconds: 300, staleSeconds: 3600 }, context);
};

describe("keys that cannot be used, each beside one that can", () => {
  test.each<[string, object, object, string]>([
    ["a private key", { ...ec.jwk, d: "AAAA" }, ec.jwk, "private"],
    ["a private RSA key", { ...rsa.jwk, p: "AAAA" }, rsa.jwk, "private"],
    ["a symmetric key", { kty: "oct", k: "AAAA" }, ec.jwk, "symmetric"],
    ["an RSA key with a secret beside it", { ...rsa.jwk, k: "AAAA" }, rsa.jwk, "private"],
    ["a key for encryption", { ...rsa.jwk, use: "enc" }, { ...rsa.jwk, use: "sig" }, "use"],
    ["a key for signing", { ...rsa.jwk, key_ops: ["sign"] }, { ...rsa.jwk, key_ops: ["verify"] }, "key_ops"],
    ["RSA with 1024 bits", weak, rsa.jwk, "weak"],
    ["RSA with 2040 bits", short, rsa.jwk, "weak"],
    ["RSA with the exponent 1", { ...rsa.jwk, e: "AQ" }, { ...rsa.jwk, e: "AQAB" }, "exponent"],
    ["RSA with an even exponent", { ...rsa.jwk, e: "AQAA" }, { ...rsa.jwk, e: "AQAB" }, "exponent"],
    ["a point that is not on the curve", { ...ec.jwk, y: x }, { ...ec.jwk, y }, "broken"],
    ["a point of another curve", { ...ec.jwk, crv: "P-384" }, ec.jwk, "algorithm"],
    ["a curve that signs no tokens", { kty: "EC", crv: "secp256k1", x, y }, { kty: "EC", crv: "P-256", x, y }, "algorithm"],
    ["a key for agreement", { kty: "OKP", crv: "X25519", x: ed.jwk.x }, ed.jwk, "algorithm"],
    ["an algorithm of another type", { ...ec.jwk, alg: "RS256" }, { ...ec.jwk, alg: "ES256" }, "algorithm"],
    ["a symmetric algorithm", { ...rsa.jwk, alg: "HS256" }, { ...rsa.jwk, alg: "RS256" }, "algorithm"],
    ["an algorithm that does not exist", { ...rsa.jwk, alg: "none" }, { ...rsa.jwk, alg: "PS512" }, "algorithm"],
    ["a kid that is a number", { ...ec.jwk, kid: 1 }, { ...ec.jwk, kid: "1" }, "kid"],
    ["an empty kid", { ...ec.jwk, kid: "" }, { ...ec.jwk, kid: undefined }, "kid"],
    ["a kid that is too long", { ...ec.jwk, kid: "k".repeat(257) }, { ...ec.jwk, kid: "k".repeat(256) }, "kid"],
    ["no type", { ...ec.jwk, kty: undefined }, ec.jwk, "algorithm"],
    ["a point that is too short", { ...ec.jwk, y: "AAAA" }, ec.jwk, "broken"],
  ])("%s", async (_what, bad, good, why) => {
    await expect(open([bad])).rejects.toThrow(why);
    await expect(open([good])).resolves.toBeDefined();
  });

  test("one that was written by hand is refused although others are good", async () => {
    await expect(open([ec.jwk, weak])).rejects.toThrow("`jwks.keys`: key 2 is not used: it is weak");
  });

  test("what says why holds no key material", async () => {
    const error = await open([{ ...ec.jwk, y: x }]).catch((thrown: unknown) => String(thrown));
    expect(error).toContain("key 1 is not used");
    expect(error).not.toContain(String(x));
  });
});

describe("what fits a token", () => {
  const names = async (keys: readonly object[], kid: string | undefined, algorithm: string) => {
    const found = await (await open(keys)).lookUp({ kid, algorithm });
    return found.kind === "found" ? found.keys.map((key) => key.kid) : found.kind;
  };
  const all = [ec.jwk, rsa.jwk, ed.jwk];

  test.each([
    ["ec", "ES256", ["ec"]],
    ["ec", "ES384", "unknown"],
    ["rsa", "RS256", ["rsa"]],
    ["rsa", "PS384", ["rsa"]],
    ["rsa", "ES256", "unknown"],
    ["rsa", "HS256", "unknown"],
    ["ed", "EdDSA", ["ed"]],
    ["ed", "Ed25519", ["ed"]],
    ["other", "ES256", "unknown"],
    [undefined, "ES256", ["ec"]],
    [undefined, "RS512", ["rsa"]],
    [undefined, "ES384", "unknown"],
  ])("the kid %s and %s", async (kid, algorithm, expected) => {
    expect(await names(all, kid, algorithm)).toEqual(expected);
  });

  test("a key bound to one algorithm fits no other", async () => {
    const bound = [{ ...rsa.jwk, alg: "PS256" }];
    expect([await names(bound, "rsa", "PS256"), await names(bound, "rsa", "RS256")]).toEqual([["rsa"], "unknown"]);
  });

  test("two keys of one kid both fit; without a kid at most four are tried", async () => {
    const others = Array.from({ length: 6 }, (_, index) => testKey(index < 2 ? "same" : `k${index}`, "ES256").jwk);
    expect(await names(others, "same", "ES256")).toEqual(["same", "same"]);
    expect(await names(others, undefined, "ES256")).toHaveLength(4);
  });

  test("a key without a kid is for tokens without one", async () => {
    const nameless = [{ ...ec.jwk, kid: undefined }];
    expect([await names(nameless, undefined, "ES256"), await names(nameless, "ec", "ES256")]).toEqual([[undefined], "unknown"]);
  });
});
