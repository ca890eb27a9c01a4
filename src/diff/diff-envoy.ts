/** What must change in Envoy's own configuration. */
import { showUnmatched } from "../config/shown-config.ts";
import type { CheckedConfig, EnvoyPromises } from "../config/types.ts";
import { buffersBody, type ChainDemands, mutationsThatNeedRights } from "../envoy-config/demands.ts";
import { filterMode, routeMode } from "../envoy-config/processing-mode.ts";
import { diffValues, type ValueChange } from "./diff-values.ts";

export type EnvoyChange =
  /** `changes` are entries of the route's own `processing_mode`, such as `request_body_mode`. */
  | { readonly kind: "processing-mode"; readonly routes: readonly string[]; readonly changes: readonly ValueChange[] }
  /** An entry of the filter's `request_attributes`. */
  | { readonly kind: "attribute-needed" | "attribute-unneeded"; readonly attribute: string }
  /** The filter's `allow_all_routing`. */
  | { readonly kind: "routing-right-needed" | "routing-right-unneeded" }
  /** The largest body that a step waits for, bytes: Envoy's buffers must hold it. 0 where none is waited for. */
  | { readonly kind: "body-bytes"; readonly from: number; readonly to: number };

/** One side of a comparison. */
export interface EnvoySide {
  readonly config: CheckedConfig;
  readonly demands: ReadonlyMap<string, ChainDemands>;
}

/** A route that one side does not know is compared as what it is there: unmatched. */
export function diffEnvoy(from: EnvoySide, to: EnvoySide, promises: EnvoyPromises): readonly EnvoyChange[] {
  return [...diffModes(from, to, promises), ...diffAttributes(from, to), ...diffRights(from, to), ...diffBodies(from, to)];
}

function diffModes(from: EnvoySide, to: EnvoySide, promises: EnvoyPromises): readonly EnvoyChange[] {
  const routes = [...new Set([...from.config.routes.keys(), ...to.config.routes.keys()])].sort();
  const changed = routes.flatMap((route) => {
    const changes = diffValues("", modeOf(from, route, promises), modeOf(to, route, promises));
    return changes.length === 0 ? [] : [{ route, changes }];
  });
  const alike = Map.groupBy(changed, ({ changes }) => JSON.stringify(changes));
  return [...alike.values()].map((group) => ({
    kind: "processing-mode",
    routes: group.map(({ route }) => route),
    changes: group[0]?.changes ?? [],
  }));
}

function modeOf({ config, demands }: EnvoySide, route: string, promises: EnvoyPromises): ReturnType<typeof filterMode> {
  const chain = demands.get(config.routes.has(route) ? (config.routes.get(route) ?? "") : showUnmatched(config.unmatched));
  return (chain && routeMode(chain.needs, promises)) ?? filterMode(promises);
}

function diffAttributes(from: EnvoySide, to: EnvoySide): readonly EnvoyChange[] {
  const needed = ({ demands }: EnvoySide): readonly string[] => [...demands.values()].flatMap(({ attributes }) => [...attributes.keys()]);
  const [before, after] = [new Set(needed(from)), new Set(needed(to))];
  return [
    ...[...after.difference(before)].sort().map((attribute) => ({ kind: "attribute-needed", attribute }) as const),
    ...[...before.difference(after)].sort().map((attribute) => ({ kind: "attribute-unneeded", attribute }) as const),
  ];
}

function diffRights(from: EnvoySide, to: EnvoySide): readonly EnvoyChange[] {
  const needed = ({ demands }: EnvoySide): boolean => [...demands.values()].some((chain) => mutationsThatNeedRights(chain).length > 0);
  if (needed(from) === needed(to)) return [];
  return [{ kind: needed(to) ? "routing-right-needed" : "routing-right-unneeded" }];
}

function diffBodies(from: EnvoySide, to: EnvoySide): readonly EnvoyChange[] {
  const largest = ({ demands }: EnvoySide): number =>
    Math.max(0, ...[...demands.values()].filter(({ needs }) => buffersBody(needs)).map(({ bodyBytesMax }) => bodyBytesMax));
  const [before, after] = [largest(from), largest(to)];
  return before === after ? [] : [{ kind: "body-bytes", from: before, to: after }];
}
