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
  /** Settings of HTTP filters that a connection manager names and does not hold (ECDS), by name; only a dump has them. */
  readonly extensions: ReadonlyMap<string, Place>;
  /** Layers of runtime flags. */
  readonly runtimes: readonly Place[];
  /** The document starts a whole Envoy, or dumps one. */
  readonly bootstrap: Place | undefined;
  /** Where listeners or clusters come from elsewhere, and are not here. */
  readonly dynamic: { readonly listeners: Place | undefined; readonly clusters: Place | undefined };
  /** What a dump says of resources whose last update Envoy has refused. */
  readonly refused: readonly Place[];
}

export interface ConnectionManager {
  readonly place: Place;
  /** Undefined when the connection manager stands alone. */
  readonly listener: Place | undefined;
}

/** Of a dump: what no new request meets. */
const notInUse: readonly string[] = ["warming_state", "draining_state", "error_state", "dynamic_warming_clusters"];

export function findParts(root: Place): EnvoyParts {
  const managers: ConnectionManager[] = [];
  const routeConfigs: Place[] = [];
  const clusters: Place[] = [];
  const extensions = new Map<string, Place>();
  const refused: Place[] = [];
  const { start, lists, repeated } = findStart(root);

  // Keys that other messages have as well tell only where no type is said.
  const is = (place: Place, message: string, key: string): boolean =>
    isMessage(place, message) || (field(place, "@type") === undefined && field(place, key) !== undefined);
  const walk = (place: Place, listener: Place | undefined): void => {
    if (repeated.some(({ node }) => node === place.node)) return;
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
    const extension = isMessage(place, "TypedExtensionConfig") ? field(place, "typed_config") : undefined;
    if (extension !== undefined) extensions.set(text(field(place, "name")) ?? "", extension);
    if (field(place, "error_state") !== undefined) refused.push(place);
    const inside = is(place, "Listener", "filter_chains") ? place : listener;
    for (const [key, value] of entries(place)) if (!notInUse.includes(key)) walk(value, inside);
    for (const item of items(place)) walk(item, inside);
  };
  walk(root, undefined);

  const dynamic = field(start, "dynamic_resources");
  return {
    managers,
    routeConfigs,
    // A cluster of a static list may be as short as a name and a type.
    clusters: [...new Map([...items(field(start, "static_resources", "clusters")), ...clusters].map((one) => [one.node, one])).values()],
    extensions,
    runtimes: items(field(start, "layered_runtime", "layers")).flatMap((layer) => field(layer, "static_layer") ?? []),
    bootstrap: (field(start, "static_resources") ?? dynamic) && start,
    dynamic: {
      listeners: lists("ListenersConfigDump") ? undefined : field(dynamic, "lds_config"),
      clusters: lists("ClustersConfigDump") ? undefined : field(dynamic, "cds_config"),
    },
    refused,
  };
}

/** Where a bootstrap stands: the document itself, or a part of what the admin port dumps, which lists what runs a second time. */
function findStart(root: Place): {
  readonly start: Place;
  readonly lists: (message: string) => boolean;
  readonly repeated: readonly Place[];
} {
  const dumps = items(field(root, "configs"));
  const start = field(
    dumps.find((dump) => isMessage(dump, "BootstrapConfigDump")),
    "bootstrap",
  );
  const lists = (message: string): boolean => dumps.some((dump) => isMessage(dump, message));
  const listeners = lists("ListenersConfigDump") ? field(start, "static_resources", "listeners") : undefined;
  return { start: start ?? root, lists, repeated: listeners === undefined ? [] : [listeners] };
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
