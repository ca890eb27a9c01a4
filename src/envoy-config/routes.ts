/** The routes of a route configuration, with what each says about the engine's filter. */
import type { Place } from "../config/node.ts";
import type { EngineFilter } from "./engine-filter.ts";
import { entries, field, isMessage, isTrue, items, text } from "./field.ts";

export interface FilteredRoute {
  readonly place: Place;
  /** `""` when it has none. */
  readonly name: string;
  /** The chain that the route's own metadata names. */
  readonly ownChain: string | undefined;
  /** What is said about the filter for this route, the most specific first: route, virtual host, route configuration. */
  readonly layers: readonly FilterLayer[];
  /** The same for the parts of a route with weighted clusters. */
  readonly parts: readonly FilterLayer[];
}

/** Settings of the filter for some routes (`typed_per_filter_config`). */
export interface FilterLayer {
  /** For messages: `the virtual host \`api\``. */
  readonly owner: string;
  readonly place: Place;
  readonly disabled: boolean;
  readonly overrides: Place | undefined;
}

/** What a route configuration says of its routes. */
export interface RouteTable {
  readonly place: Place;
  readonly routes: readonly FilteredRoute[];
  /** Where routes are that cannot be read. */
  readonly elsewhere: readonly Place[];
}

export function readRoutes(place: Place, filter: EngineFilter | undefined): RouteTable {
  const layerOf = (kind: string, holder: Place): readonly FilterLayer[] => readLayer(kind, holder, filter);
  const virtualHosts = items(field(place, "virtual_hosts"));
  return {
    place,
    routes: virtualHosts.flatMap((virtualHost) => {
      const above = [...layerOf("virtual host", virtualHost), ...layerOf("route configuration", place)];
      return items(field(virtualHost, "routes")).map((route) => ({
        place: route,
        name: text(field(route, "name")) ?? "",
        ownChain: text(field(route, "metadata", "filter_metadata", "policy.engine", "chain")),
        layers: [...layerOf("route", route), ...above],
        parts: items(field(route, "route", "weighted_clusters", "clusters")).flatMap((part) => layerOf("part of a route", part)),
      }));
    }),
    elsewhere: [field(place, "vhds"), ...virtualHosts.map((virtualHost) => field(virtualHost, "matcher"))].filter(
      (one) => one !== undefined,
    ),
  };
}

/** A route configuration that stands alone does not say what the filter is called, but its settings say what they are. */
function readLayer(kind: string, holder: Place, filter: EngineFilter | undefined): readonly FilterLayer[] {
  return entries(field(holder, "typed_per_filter_config")).flatMap(([key, place]) => {
    const inner = isMessage(place, "FilterConfig") ? field(place, "config") : place;
    if (key !== filter?.name && !isMessage(inner, "ExtProcPerRoute")) return [];
    const disabled = isTrue(field(place, "disabled")) || isTrue(field(inner, "disabled"));
    return [{ owner: ownerText(kind, text(field(holder, "name"))), place, disabled, overrides: field(inner, "overrides") }];
  });
}

/** For messages; `kind` is a route, a virtual host ... */
export function ownerText(kind: string, name: string | undefined): string {
  return name === undefined || name === "" ? `an unnamed ${kind}` : `the ${kind} \`${name}\``;
}
