/**
 * The parts of an Envoy configuration that concern the engine, wherever they stand: in a bootstrap, alone in a file, or in what Envoy's admin
 * port dumps (where each message names its type).
 */
import type { Place } from "../config/node.ts";
import { entries, field, isMessage, items, text } from "./field.ts";

export interface EnvoyParts {
  readonly managers: readonly ConnectionManager[];
  /** Route configurations that no connection manager here holds. */
  readonly routeConfigs: readonly Place[];
  readonly clusters: readonly Place[];
  /** Layers of runtime flags. */
  readonly runtimes: readonly Place[];
  /** The document starts a whole Envoy. */
  readonly bootstrap: Place | undefined;
  /** Where listeners or clusters come from elsewhere. */
  readonly dynamic: { readonly listeners: Place | undefined; readonly clusters: Place | undefined };
}

export interface ConnectionManager {
  readonly place: Place;
  /** Undefined when the connection manager stands alone. */
  readonly listener: Place | undefined;
}

export function findParts(root: Place): EnvoyParts {
  const managers: ConnectionManager[] = [];
  const routeConfigs: Place[] = [];
  const clusters: Place[] = [];

  // Keys that other messages have as well tell only where no type is said.
  const is = (place: Place, message: string, key: string): boolean =>
    isMessage(place, message) || (field(place, "@type") === undefined && field(place, key) !== undefined);
  const walk = (place: Place, listener: Place | undefined): void => {
    if (is(place, "HttpConnectionManager", "http_filters")) {
      managers.push({ place, listener });
      return;
    }
    if (is(place, "RouteConfiguration", "virtual_hosts")) {
      routeConfigs.push(place);
      return;
    }
    if (is(place, "Cluster", "load_assignment")) {
      clusters.push(place);
      return;
    }
    const inside = is(place, "Listener", "filter_chains") ? place : listener;
    for (const [, value] of entries(place)) walk(value, inside);
    for (const item of items(place)) walk(item, inside);
  };
  walk(root, undefined);

  const dynamic = field(root, "dynamic_resources");
  const bootstrap = field(root, "static_resources") ?? dynamic;
  return {
    managers,
    routeConfigs,
    // A cluster of a static list may be as short as a name and a type.
    clusters: [...new Map([...items(field(root, "static_resources", "clusters")), ...clusters].map((one) => [one.node, one])).values()],
    runtimes: items(field(root, "layered_runtime", "layers")).flatMap((layer) => field(layer, "static_layer") ?? []),
    bootstrap: bootstrap && root,
    dynamic: { listeners: field(dynamic, "lds_config"), clusters: field(dynamic, "cds_config") },
  };
}

/** Where a connection manager's routes stand; `elsewhere` is what they come from when they are not here. */
export function routesOf(
  { place }: ConnectionManager,
  { routeConfigs }: EnvoyParts,
): { readonly routes: Place | undefined; readonly elsewhere: Place | undefined } {
  const inline = field(place, "route_config");
  if (inline !== undefined) return { routes: inline, elsewhere: undefined };
  const rds = field(place, "rds");
  const name = text(field(rds, "route_config_name"));
  const found = name === undefined ? undefined : routeConfigs.find((config) => text(field(config, "name")) === name);
  return { routes: found, elsewhere: found === undefined ? (rds ?? field(place, "scoped_routes")) : undefined };
}
