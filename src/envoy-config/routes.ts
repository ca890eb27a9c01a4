/** The routes of a route configuration, with what each says about the engine's filter. */
import type { Place } from "../config/node.ts";
import { atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import type { EngineFilter } from "./engine-filter.ts";
import { entries, field, isMessage, isTrue, items, text } from "./field.ts";

export interface FilteredRoute {
  readonly place: Place;
  readonly virtualHost: Place;
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

export function readRoutes(config: Place, filter: EngineFilter | undefined, { report }: CheckContext): readonly FilteredRoute[] {
  if (field(config, "vhds") !== undefined) report(problem("envoy-unseen", atKey(config), { what: "virtual hosts" }));
  const layerOf = (kind: string, place: Place): readonly FilterLayer[] => readLayer(kind, place, filter);
  return items(field(config, "virtual_hosts")).flatMap((virtualHost) => {
    const matcher = field(virtualHost, "matcher");
    if (matcher !== undefined) report(problem("envoy-unseen", atKey(matcher), { what: "routes of a `matcher`" }));
    const above = [...layerOf("virtual host", virtualHost), ...layerOf("route configuration", config)];
    return items(field(virtualHost, "routes")).map((place) => ({
      place,
      virtualHost,
      name: text(field(place, "name")) ?? "",
      ownChain: text(field(place, "metadata", "filter_metadata", "policy.engine", "chain")),
      layers: [...layerOf("route", place), ...above],
      parts: items(field(place, "route", "weighted_clusters", "clusters")).flatMap((part) => layerOf("part of a route", part)),
    }));
  });
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
