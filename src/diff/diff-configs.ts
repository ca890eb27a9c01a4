/** What a change of the configuration means: for routes, chains, steps, for who is kept out, and for Envoy. */
import { type ShownRoute, showRoute, showUnmatched } from "../config/shown-config.ts";
import type { CheckedConfig, EnvoyPromises } from "../config/types.ts";
import { type ChainChange, diffChains } from "./diff-chains.ts";
import { diffEnvoy, type EnvoyChange, type EnvoySide } from "./diff-envoy.ts";
import { diffProtection, type ProtectionChange } from "./diff-protection.ts";

/** Plain JSON; every list is empty where nothing has changed. No secret is in it. */
export interface ConfigDiff {
  readonly protection: readonly ProtectionChange[];
  readonly routes: readonly RouteChange[];
  readonly unmatched: readonly UnmatchedChange[];
  readonly chains: readonly ChainChange[];
  readonly envoy: readonly EnvoyChange[];
}

export type RouteChange =
  | { readonly kind: "added"; readonly route: string; readonly to: ShownRoute }
  | { readonly kind: "removed"; readonly route: string; readonly from: ShownRoute }
  | { readonly kind: "changed"; readonly route: string; readonly from: ShownRoute; readonly to: ShownRoute };

/** `deny`, `pass` or a chain's name. */
export interface UnmatchedChange {
  readonly from: string;
  readonly to: string;
}

/** Both sides are checked and bound with the same policies; `promises` says what Envoy does without being asked. */
export function diffConfigs(from: EnvoySide, to: EnvoySide, promises: EnvoyPromises): ConfigDiff {
  const [before, after] = [showUnmatched(from.config.unmatched), showUnmatched(to.config.unmatched)];
  return {
    protection: diffProtection(from.config, to.config),
    routes: diffRoutes(from.config.routes, to.config.routes),
    unmatched: before === after ? [] : [{ from: before, to: after }],
    chains: diffChains(from.config.chains, to.config.chains),
    envoy: diffEnvoy(from, to, promises),
  };
}

/** How many differences there are; 0 says that the two configurations do the same. */
export function countDifferences({ routes, unmatched, chains, ...consequences }: ConfigDiff): number {
  return [routes, unmatched, chains, ...Object.values(consequences)].reduce((sum, changes) => sum + changes.length, 0);
}

function diffRoutes(from: CheckedConfig["routes"], to: CheckedConfig["routes"]): readonly RouteChange[] {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort();
  return names.flatMap((route): readonly RouteChange[] => {
    const [before, after] = [showRoute(from.get(route)), showRoute(to.get(route))];
    if (!from.has(route)) return [{ kind: "added", route, to: after }];
    if (!to.has(route)) return [{ kind: "removed", route, from: before }];
    return from.get(route) === to.get(route) ? [] : [{ kind: "changed", route, from: before, to: after }];
  });
}
