/** What the versions of jwt-validation have in common: a request in, a verified caller or a refusal out. */
import { bindPlaces, type Place } from "@envoy-policy-engine/credential-places";
import { type KeySet, type KeySource, openKeySet } from "@envoy-policy-engine/key-sets";
import type { Auth, Counter, MetadataKey, PolicyContext, Reply, RequestExchange } from "@envoy-policy-engine/sdk";
import { bindClaimHeaders, type ClaimHeader, type HeaderFromClaim, headersFrom, writeHeaders } from "./claim-headers.ts";
import { claimAt, scopesOf } from "./claim-values.ts";
import { createReplies } from "./replies.ts";
import { lackOf, type Requirements } from "./requirements.ts";
import { sentToken, tokenBytesMax } from "./sent-token.ts";
import { createVerifiedTokens, type Remembered } from "./verified-tokens.ts";
import { type Issuer, type VerifiedToken, verifyToken } from "./verify-token.ts";

export interface GateOptions {
  /** Where a token may be. In the header `authorization` it follows `Bearer`; elsewhere it is the whole value. */
  readonly places: readonly Place[];
  readonly issuers: readonly IssuerOptions[];
  /** How far the clocks of issuers and of this machine may be apart. */
  readonly clockSkewSeconds: number;
  readonly requirements: Requirements;
  readonly claimHeaders: readonly ClaimHeader[];
  /** Names of claims that go into the metadata `auth`. */
  readonly metadataClaims: readonly string[];
  /** What becomes of the token in the request when it is good. */
  readonly token: "forwarded" | "removed";
  readonly realm: string;
}

export interface IssuerOptions {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly jwks: KeySource;
}

/** Synchronous where the token is remembered. */
export type Gate = (exchange: RequestExchange) => Reply | undefined | Promise<Reply | undefined>;

/** What a verified token leads to, worked out once. */
interface Passport extends Remembered {
  readonly auth: Auth;
  readonly headers: readonly HeaderFromClaim[];
  /** It is genuine, but not enough. */
  readonly forbidden: Reply | undefined;
}

const auth: MetadataKey<Auth> = { name: "auth" };
const rememberedLimits = { entriesMax: 10_000, bytesMax: 16 * 1024 * 1024 };

/** Throws when the options contradict each other or when keys that are written out or in a file cannot be used. */
export async function openGate(options: GateOptions, context: PolicyContext): Promise<Gate> {
  const places = bindPlaces(options.places);
  const mappings = bindClaimHeaders(options.claimHeaders);
  for (const { in: where, name } of places) {
    if (where === "header" && mappings.some(({ header }) => header === name)) {
      throw new Error(`the header \`${name}\` cannot hold the token and be set from a claim`);
    }
  }
  const issuers = await openIssuers(options, context);
  const replies = createReplies(options.realm);
  const remembered = createVerifiedTokens<Passport>(rememberedLimits, context.now);
  const hits = context.counter("tokens_remembered", "Tokens that needed no verification because the same token was verified before.");
  const oversized = replies.invalid({ code: "jwt-oversized", reason: `the token is longer than ${tokenBytesMax} bytes` });

  const passportOf = (token: VerifiedToken): Passport => {
    const { issuer, key } = token;
    const { sub, all, iss, aud, exp, nbf } = token.claims;
    const scopes = scopesOf(all);
    const claims = metadataOf(all, options.metadataClaims);
    const lack = lackOf(all, scopes ?? [], options.requirements);
    return {
      issuer,
      key,
      judged: { iss, aud, exp, nbf },
      // Every request with the token gets this one: no step after this may change it for the next.
      auth: deepFrozen({ method: "jwt", subject: sub, issuer: iss, ...(scopes && { scopes }), ...(claims && { claims }) }),
      headers: headersFrom(all, mappings),
      forbidden: lack && replies.forbidden(lack),
    };
  };

  return ({ request, metadata }) => {
    const sent = sentToken(request, places);
    switch (sent.kind) {
      case "none":
        return replies.missing;
      case "several":
        return replies.several;
      case "oversized":
        return oversized;
      case "one":
        break;
      default:
        return sent satisfies never;
    }
    const admit = (passport: Passport): Reply | undefined => {
      if (passport.forbidden !== undefined) return passport.forbidden;
      if (options.token === "removed") sent.place.strip(request);
      writeHeaders(request.headers, passport.headers);
      metadata.set(auth, passport.auth);
      return undefined;
    };
    const known = remembered.find(sent.text);
    if (known !== undefined) {
      hits.add();
      return admit(known);
    }
    return verifyToken(sent.text, issuers, context.now()).then((verification) => {
      switch (verification.kind) {
        case "refused":
          return replies.invalid(verification.fault);
        case "not-ready":
          return replies.notReady(verification.retryAfterSeconds, verification.reason);
        case "verified": {
          const passport = passportOf(verification.token);
          remembered.add(sent.text, passport);
          return admit(passport);
        }
        default:
          return verification satisfies never;
      }
    });
  };
}

async function openIssuers(options: GateOptions, context: PolicyContext): Promise<ReadonlyMap<string, Issuer>> {
  const misses = context.counter("key_set_misses", "Tokens whose key was not there when it was looked up.");
  const issuers = new Map<string, Issuer>();
  for (const { issuer, audiences, algorithms, jwks } of options.issuers) {
    if (issuers.has(issuer)) throw new Error(`the issuer \`${issuer}\` is given twice: put its audiences and keys in one entry`);
    const keys = countingMisses(await openKeySet(jwks, context), misses);
    context.health(`keys of ${issuer}`, keys.health);
    issuers.set(issuer, { issuer, audiences, algorithms: new Set(algorithms), clockSkewMs: options.clockSkewSeconds * 1000, keys });
  }
  return issuers;
}

function countingMisses(keys: KeySet, misses: Counter): KeySet {
  return {
    ...keys,
    lookUp(wanted) {
      const found = keys.lookUp(wanted);
      if (found instanceof Promise || found.kind !== "found") misses.add();
      return found;
    },
  };
}

function metadataOf(claims: Readonly<Record<string, unknown>>, names: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const entries = names.map((name) => [name, claimAt(claims, name)] as const).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function deepFrozen<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) for (const part of Object.values(Object.freeze(value))) deepFrozen(part);
  return value;
}
