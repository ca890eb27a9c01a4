/**
 * Tokens that must not pass, each beside its twin: the same token without the attack, which must pass. So no attack is refused for a reason of
 * its neighbour's.
 */
import { compact, hmacSigner, type Json, signer, type TestKey, testKey } from "./signing.ts";

export const issuer = "https://login.example.com";
export const audience = "https://api.example.com";
/** The skew that version 1.0.0 has and that the tests give to 2.0.0. */
const skew = 30;

export interface TokenRow {
  readonly name: string;
  /** The whole value of the header `authorization`, or its lines; without `Bearer` in front, it is put there. */
  readonly attack: string | readonly string[];
  readonly twin: string | readonly string[];
  readonly code: string;
  /** Default 401. */
  readonly status?: number;
  /** Why it cannot be sent through a real Envoy. */
  readonly inProcessOnly?: string;
}

/** What the issuer publishes. */
export const keys = {
  rsa: testKey("rsa", "RS256", { alg: undefined }),
  pss: testKey("pss", "PS256"),
  ec: testKey("ec", "ES256"),
  ec384: testKey("ec-384", "ES384", { alg: undefined }),
  ec512: testKey("ec-512", "ES512"),
  ed: testKey("ed", "EdDSA"),
  odd: testKey("../../etc/passwd' OR 1=1", "ES256"),
} as const;
const mallory = testKey("ec", "ES256");
const malloryRsa = testKey("rsa", "RS256");

export const jwks = Object.values(keys).map(({ jwk }) => jwk);

export interface TokenParts {
  readonly key?: TestKey;
  /** The algorithm that signs, when it is not the key's own. */
  readonly signs?: string;
  /** Changes of the header; undefined removes. */
  readonly header?: Json;
  /** Changes of the claims; undefined removes. */
  readonly claims?: Json;
  readonly headerText?: string;
  readonly claimsText?: string;
  readonly signature?: (input: string) => Buffer;
}

/** Makes good tokens, but for what is said. @param now seconds since the epoch */
export function tokensAt(now: number): (parts?: TokenParts) => string {
  const claims = claimsAt(now);
  return ({ key = keys.ec, signs = key.algorithm, ...parts } = {}) => {
    const header = { alg: signs, typ: "JWT", kid: key.kid, ...parts.header };
    return compact(parts.headerText ?? header, parts.claimsText ?? { ...claims, ...parts.claims }, parts.signature ?? signer(key, signs));
  };
}

function claimsAt(now: number): Json {
  return { iss: issuer, sub: "alice", aud: audience, exp: now + 300, nbf: now - 300, iat: now - 300, role: "reader" };
}

const none = (): Buffer => Buffer.alloc(0);
const invalid = "jwt-claims-invalid";
const edge = { inProcessOnly: "it is right for a second only" };
const publicPem = keys.rsa.publicKey.export({ format: "pem", type: "spki" }).toString();
const mallorysJwk = mallory.publicKey.export({ format: "jwk" });

/** @param now seconds since the epoch: where the clock stands */
export function tokenTable(now: number): readonly TokenRow[] {
  const token = tokensAt(now);
  const claims = claimsAt(now);
  const good = token();
  const [goodHeader = "", goodClaims = "", goodSignature = ""] = good.split(".");

  /** Rows about one claim: the attack's value and the twin's. */
  const claim = (name: string, code: string, attack: unknown, twin: unknown, more: Pick<TokenRow, "inProcessOnly"> = {}): TokenRow => ({
    name: `${name}: ${JSON.stringify(attack) ?? "missing"}, not ${JSON.stringify(twin) ?? "missing"}`,
    attack: token({ claims: { [name]: attack } }),
    twin: token({ claims: { [name]: twin } }),
    code,
    ...more,
  });

  /** Rows about the header: what attackers put there, signed by them, and the same signed by the issuer. */
  const forged = (name: string, header: Json, by: TestKey, of: TestKey): TokenRow => ({
    name,
    attack: token({ key: of, header, signature: signer(by) }),
    twin: token({ key: of, header }),
    code: "jwt-signature-wrong",
  });

  return [
    // RFC 8725 3.1 and 3.2: algorithms
    {
      name: "alg none without a signature",
      attack: token({ header: { alg: "none" }, signature: none }),
      twin: good,
      code: "jwt-malformed",
    },
    ...["none", "None", "NONE", "nOnE"].map((alg) => ({
      name: `alg ${alg} with the signature of a good token`,
      attack: token({ header: { alg }, signature: () => Buffer.from(goodSignature, "base64url") }),
      twin: good,
      code: "jwt-algorithm-refused",
    })),
    ...[undefined, 256, null, ["ES256"], "es256", "ES256 "].map((alg) => ({
      name: `alg is ${JSON.stringify(alg) ?? "missing"}`,
      attack: token({ header: { alg } }),
      twin: good,
      code: "jwt-algorithm-refused",
    })),
    ...[
      ["the PEM of the public key", publicPem],
      ["the PEM without its last newline", publicPem.trim()],
      ["the DER of the public key", keys.rsa.publicKey.export({ format: "der", type: "spki" })],
      ["its modulus", String(keys.rsa.jwk.n)],
      ["nothing", ""],
    ].map(([what, secret]) => ({
      name: `HS256, with ${what} as the secret`,
      attack: token({ key: keys.rsa, header: { alg: "HS256" }, signature: hmacSigner(secret ?? "") }),
      twin: token({ key: keys.rsa }),
      code: "jwt-algorithm-refused",
    })),
    {
      name: "RS256 with a key that is for PS256 only",
      attack: token({ key: keys.pss, signs: "RS256" }),
      twin: token({ key: keys.pss }),
      code: "jwt-key-unknown",
    },
    {
      name: "a PS256 signature that calls itself RS256",
      attack: token({ key: keys.rsa, header: { alg: "RS256" }, signature: signer(keys.rsa, "PS256") }),
      twin: token({ key: keys.rsa, header: { alg: "PS256" }, signature: signer(keys.rsa, "PS256") }),
      code: "jwt-signature-wrong",
    },
    {
      name: "ES256 with the kid of an RSA key",
      attack: token({ key: keys.ec, header: { kid: "rsa" } }),
      twin: token({ key: keys.ec }),
      code: "jwt-key-unknown",
    },
    {
      name: "ES384 with a key on P-256",
      attack: token({ key: keys.ec, signs: "ES384" }),
      twin: token({ key: keys.ec384 }),
      code: "jwt-key-unknown",
    },
    {
      name: "a key of the set with an algorithm of its type that it is not for",
      attack: token({ key: keys.ed, header: { alg: "Ed25519" } }),
      twin: token({ key: keys.ed }),
      code: "jwt-key-unknown",
    },

    // Signatures
    { name: "a signature of somebody else", attack: token({ signature: signer(mallory) }), twin: good, code: "jwt-signature-wrong" },
    {
      name: "an RSA signature of somebody else",
      attack: token({ key: keys.rsa, signature: signer(malloryRsa) }),
      twin: token({ key: keys.rsa }),
      code: "jwt-signature-wrong",
    },
    {
      name: "another token's signature",
      attack: token({ claims: { sub: "bob" }, signature: () => Buffer.from(goodSignature, "base64url") }),
      twin: token({ claims: { sub: "bob" } }),
      code: "jwt-signature-wrong",
    },
    { name: "a signature of zeros", attack: token({ signature: () => Buffer.alloc(64) }), twin: good, code: "jwt-signature-wrong" },
    {
      name: "a signature cut short",
      attack: token({ signature: (input) => signer(keys.ec)(input).subarray(0, 63) }),
      twin: good,
      code: "jwt-signature-wrong",
    },
    {
      name: "a signature with a byte more",
      attack: token({ signature: (input) => Buffer.concat([signer(keys.ec)(input), Buffer.from([0])]) }),
      twin: good,
      code: "jwt-signature-wrong",
    },
    {
      name: "a signature with one bit turned",
      attack: token({ signature: (input) => signer(keys.ec)(input).map((byte, index) => (index === 40 ? byte ^ 1 : byte)) as Buffer }),
      twin: good,
      code: "jwt-signature-wrong",
    },
    {
      name: "claims changed after signing",
      attack: `${goodHeader}.${Buffer.from(JSON.stringify({ ...claims, role: "admin" })).toString("base64url")}.${goodSignature}`,
      twin: token({ claims: { role: "admin" } }),
      code: "jwt-signature-wrong",
    },
    { name: "no signature", attack: `${goodHeader}.${goodClaims}.`, twin: good, code: "jwt-malformed" },

    // RFC 7515 4.1.11: critical extensions
    ...[["exp"], ["http://example.com/unknown"], ["b64"], [], "b64"].map((crit) => ({
      name: `crit ${JSON.stringify(crit)}`,
      attack: token({ header: { crit, b64: true } }),
      twin: token({ header: { b64: true } }),
      code: "jwt-malformed",
    })),

    // RFC 8725 3.10: the header does not choose keys
    forged("an embedded jwk", { jwk: mallorysJwk }, mallory, keys.ec),
    forged("a jku", { jku: "https://mallory.example.com/keys" }, mallory, keys.ec),
    forged("an x5u", { x5u: "https://mallory.example.com/chain.pem" }, mallory, keys.ec),
    forged("an x5c", { x5c: [mallory.publicKey.export({ format: "der", type: "spki" }).toString("base64")] }, mallory, keys.ec),
    {
      name: "an embedded jwk and a kid that only it has",
      attack: token({ header: { kid: "mallory", jwk: { ...mallorysJwk, kid: "mallory" } }, signature: signer(mallory) }),
      twin: token({ header: { jwk: mallorysJwk } }),
      code: "jwt-key-unknown",
    },

    // RFC 8725 3.11 and 3.12: a token that says it is of another kind. In RFC 9068 an access token says `at+jwt`.
    ...[
      ["logout+jwt", "at+jwt"],
      ["application/logout+jwt", "application/at+jwt"],
      ["DPoP+JWT", "AT+JWT"],
      ["secevent+jwt", "JWT"],
      ["id+jwt ", "jose"],
      [1, undefined],
      [["at+jwt"], "at+jwt"],
      [null, undefined],
    ].map(([attack, twin]) => ({
      name: `typ is ${JSON.stringify(attack)}, not ${JSON.stringify(twin) ?? "missing"}`,
      attack: token({ header: { typ: attack } }),
      twin: token({ header: { typ: twin } }),
      code: "jwt-malformed",
    })),

    // kid
    forged("a kid that would be a path or a query somewhere", {}, mallory, keys.odd),
    ...["unknown", "EC", "ec\u0000", "../ec", "__proto__", "constructor", "*", "' OR '1'='1"].map((kid) => ({
      name: `the kid ${JSON.stringify(kid)}`,
      attack: token({ header: { kid } }),
      twin: good,
      code: "jwt-key-unknown",
    })),
    ...["", 1, null, true, ["ec"], { toString: "ec" }, "k".repeat(257)].map((kid) => ({
      name: `the kid is ${JSON.stringify(kid).slice(0, 20)}`,
      attack: token({ header: { kid } }),
      twin: good,
      code: "jwt-malformed",
    })),
    {
      name: "without a kid, signed by somebody else",
      attack: token({ key: keys.ec384, header: { kid: undefined }, signature: signer(testKey("x", "ES384")) }),
      twin: token({ key: keys.ec384, header: { kid: undefined } }),
      code: "jwt-signature-wrong",
    },

    // exp, nbf, iat
    claim("exp", invalid, undefined, now + 300),
    claim("exp", invalid, null, now + 300),
    claim("exp", invalid, String(now + 300), now + 300),
    claim("exp", invalid, [now + 300], now + 300),
    claim("exp", invalid, true, now + 300.5),
    {
      name: "an exp that is no finite number",
      attack: token({ claimsText: JSON.stringify(claims).replace(`"exp":${now + 300}`, '"exp":1e999') }),
      twin: token({ claimsText: JSON.stringify(claims).replace(`"exp":${now + 300}`, '"exp":1e10') }),
      code: invalid,
    },
    claim("exp", "jwt-expired", now - skew, now - skew + 1, edge),
    claim("exp", "jwt-expired", now - 86_400, now + 86_400),
    claim("exp", "jwt-expired", -1, now + 300),
    claim("exp", "jwt-expired", 0, now + 300),
    // In milliseconds, a common mistake: good for far too long, but what the issuer has signed.
    claim("exp", invalid, `${(now + 300) * 1000}`, (now + 300) * 1000),
    claim("nbf", "jwt-not-yet-valid", now + skew + 1, now + skew, edge),
    claim("nbf", "jwt-not-yet-valid", now + 86_400, undefined),
    claim("nbf", invalid, String(now - 300), now - 300),
    claim("nbf", invalid, null, now - 300),
    claim("iat", invalid, String(now - 300), undefined),

    // iss
    claim("iss", invalid, undefined, issuer),
    claim("iss", invalid, [issuer], issuer),
    claim("iss", invalid, 1, issuer),
    claim("iss", invalid, "", issuer),
    ...[`${issuer}/`, issuer.toUpperCase(), `${issuer}\u0000`, "https://mallory.example.com", "__proto__"].map((iss) =>
      claim("iss", "jwt-issuer-unknown", iss, issuer),
    ),

    // aud
    claim("aud", "jwt-audience-wrong", undefined, audience),
    claim("aud", "jwt-audience-wrong", "https://other.example.com", [audience]),
    claim("aud", "jwt-audience-wrong", ["https://other.example.com"], ["https://other.example.com", audience]),
    claim("aud", "jwt-audience-wrong", [], [audience]),
    claim("aud", "jwt-audience-wrong", `${audience}/`, audience),
    claim("aud", "jwt-audience-wrong", `${audience} https://other.example.com`, audience),
    claim("aud", invalid, 1, audience),
    claim("aud", invalid, [audience, 1], [audience, "1"]),
    claim("aud", invalid, { 0: audience }, [audience]),
    claim("aud", invalid, null, audience),

    // sub
    claim("sub", invalid, undefined, "alice"),
    claim("sub", invalid, "", "a"),
    claim("sub", invalid, 1, "1"),
    claim("sub", invalid, "alice\r\nx-role: admin", "älice"),
    // HTTP takes blanks off the ends of a header's value: upstreams would read another subject.
    claim("sub", invalid, " admin", "a dmin"),
    claim("sub", invalid, "admin\u00a0", "admin"),

    // Forms
    { name: "claims that are a list", attack: token({ claimsText: JSON.stringify([claims]) }), twin: good, code: "jwt-malformed" },
    { name: "claims that are a text", attack: token({ claimsText: '"alice"' }), twin: good, code: "jwt-malformed" },
    { name: "claims that are null", attack: token({ claimsText: "null" }), twin: good, code: "jwt-malformed" },
    { name: "claims that are no JSON", attack: token({ claimsText: "{" }), twin: good, code: "jwt-malformed" },
    {
      name: "lists in lists, five thousand deep",
      attack: token({ claimsText: `${"[".repeat(5_000)}${"]".repeat(5_000)}` }),
      twin: token({ claims: { deep: [[[[]]]] } }),
      code: "jwt-malformed",
    },
    {
      name: "a header that is a list",
      attack: token({ headerText: '[{"alg":"ES256","kid":"ec"}]' }),
      twin: token({ headerText: '{"alg":"ES256","kid":"ec"}' }),
      code: "jwt-malformed",
    },
    { name: "a header that is no JSON", attack: token({ headerText: "alg=ES256" }), twin: good, code: "jwt-malformed" },
    {
      name: "a second alg in the header",
      attack: token({ headerText: '{"alg":"ES256","kid":"ec","alg":"none"}' }),
      twin: token({ headerText: '{"alg":"none","kid":"ec","alg":"ES256"}' }),
      code: "jwt-algorithm-refused",
    },
    { name: "two parts", attack: `${goodHeader}.${goodClaims}`, twin: good, code: "jwt-malformed" },
    { name: "four parts", attack: `${good}.${goodSignature}`, twin: good, code: "jwt-malformed" },
    { name: "five parts, as an encrypted token has", attack: `${good}.a.b`, twin: good, code: "jwt-malformed" },
    { name: "an empty first part", attack: `.${goodClaims}.${goodSignature}`, twin: good, code: "jwt-malformed" },
    { name: "padding", attack: `${good}==`, twin: good, code: "jwt-malformed" },
    {
      name: "the other base64 alphabet",
      attack: `${goodHeader}.${goodClaims}.${goodSignature.slice(0, -1)}+`,
      twin: good,
      code: "jwt-malformed",
    },
    { name: "a blank inside", attack: good.replace(".", ". "), twin: good, code: "jwt-malformed" },
    { name: "letters that are no ASCII", attack: good.replace(".", ".ä"), twin: good, code: "jwt-malformed" },
    { name: "a JSON object in its place", attack: JSON.stringify({ token: "a" }), twin: good, code: "jwt-malformed" },
    {
      name: "longer than 16 KiB",
      attack: token({ claims: { filler: "x".repeat(13_000) } }),
      twin: token({ claims: { filler: "x".repeat(11_500) } }),
      code: "jwt-oversized",
    },

    // The header that holds it
    { name: "two lines", attack: [`Bearer ${good}`, `Bearer ${good}`], twin: good, code: "jwt-several", status: 400 },
    {
      name: "two lines, one of another scheme",
      attack: [`Bearer ${good}`, "Basic YTpi"],
      twin: [`Bearer ${good}`],
      code: "jwt-several",
      status: 400,
    },
    {
      name: "two lines, one of them empty",
      inProcessOnly: "Envoy joins the lines of this header, and an empty one leaves no trace, also upstream",
      attack: [`Bearer ${good}`, ""],
      twin: [`Bearer ${good}`],
      code: "jwt-several",
      status: 400,
    },
    { name: "two lines that were joined", attack: [`Bearer ${good}, Bearer ${good}`], twin: good, code: "jwt-several", status: 400 },
    {
      name: "two lines of two schemes that were joined",
      attack: [`Basic YTpi,Bearer ${good}`],
      twin: [`bEARER   ${good}`],
      code: "jwt-several",
      status: 400,
    },
    { name: "no scheme", attack: [good], twin: [`bearer ${good}`], code: "jwt-missing" },
    { name: "another scheme", attack: [`Token ${good}`], twin: [`BEARER ${good}`], code: "jwt-missing" },
    { name: "no blank after the scheme", attack: [`Bearer${good}`], twin: [`Bearer  ${good}`], code: "jwt-missing" },
    { name: "nothing after the scheme", attack: ["Bearer "], twin: good, code: "jwt-missing" },
    { name: "an empty header", attack: [""], twin: good, code: "jwt-missing" },
    { name: "no header", attack: [], twin: good, code: "jwt-missing" },
  ];
}

/** The header lines of an entry. */
export function authorizationLines(entry: string | readonly string[]): readonly string[] {
  return typeof entry === "string" ? [`Bearer ${entry}`] : entry;
}
