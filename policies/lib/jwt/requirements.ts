import { type ClaimPath, claimAt, claimHasOne } from "./claim-values.ts";

/** What a token must allow. Empty lists demand nothing. */
export interface Requirements {
  readonly scopes: Alternatives<string>;
  readonly claims: Alternatives<ClaimCondition>;
}

export interface Alternatives<Condition> {
  readonly allOf: readonly Condition[];
  readonly anyOf: readonly Condition[];
}

export interface ClaimCondition {
  readonly claim: ClaimPath;
  readonly values: readonly string[];
}

/** `scopes` are what would have been enough, for the client (RFC 6750 3). */
export type Lack = { readonly kind: "scopes"; readonly scopes: readonly string[] } | { readonly kind: "claims" };

/** What the token lacks; undefined when it lacks nothing. */
export function lackOf(claims: Readonly<Record<string, unknown>>, scopes: readonly string[], requirements: Requirements): Lack | undefined {
  if (!holds(requirements.scopes, (scope) => scopes.includes(scope))) {
    const { allOf, anyOf } = requirements.scopes;
    return { kind: "scopes", scopes: [...new Set([...allOf, ...anyOf.slice(0, 1)])] };
  }
  return holds(requirements.claims, ({ claim, values }) => claimHasOne(claimAt(claims, claim), values)) ? undefined : { kind: "claims" };
}

function holds<Condition>({ allOf, anyOf }: Alternatives<Condition>, holdsOne: (condition: Condition) => boolean): boolean {
  return allOf.every(holdsOne) && (anyOf.length === 0 || anyOf.some(holdsOne));
}
