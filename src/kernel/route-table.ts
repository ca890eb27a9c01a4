import type { FailureCode } from "../errors.ts";
import type { Generation } from "../generations/generation.ts";
import type { Chain } from "../worker/chain.ts";
import type { RouteIdentity } from "./route-identity.ts";

export type RouteTarget =
  | { readonly kind: "chain"; readonly chain: Chain }
  /** No chain, said aloud by the configuration. */
  | { readonly kind: "pass" }
  | { readonly kind: "refused"; readonly code: FailureCode };

/** From the route's identity to what the generation does with it. Whatever is not said aloud is refused. */
export function routeTarget(identity: RouteIdentity, generation: Generation): RouteTarget {
  if (identity.kind === "refused") return identity;
  const { routes } = generation.config;
  const { name, ownChain } = identity;
  const ofRoute = name === "" ? undefined : routes.get(name);
  const known = ofRoute !== undefined || (name !== "" && routes.has(name));
  const chain = known ? ofRoute : ownChain;
  if (known && ownChain !== undefined && ownChain !== chain) return { kind: "refused", code: "chain-conflict" };
  if (chain !== undefined) return named(chain, generation);
  if (known) return { kind: "pass" };
  return unmatched(name === "" ? "route-unnamed" : "route-unknown", generation);
}

function named(name: string, generation: Generation): RouteTarget {
  const chain = generation.chains.get(name);
  return chain === undefined ? { kind: "refused", code: "chain-unknown" } : { kind: "chain", chain };
}

function unmatched(code: FailureCode, generation: Generation): RouteTarget {
  const rule = generation.config.unmatched;
  switch (rule.kind) {
    case "deny":
      return { kind: "refused", code };
    case "pass":
      return { kind: "pass" };
    case "chain":
      return named(rule.chain, generation);
    default:
      return rule satisfies never;
  }
}
