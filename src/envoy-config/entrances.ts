/** Where requests come into an Envoy that asks the engine, and which of Envoy's counters tell of them. */
import { type Node, rootPlace } from "../config/node.ts";
import { type EngineFilter, findEngineFilters } from "./engine-filter.ts";
import { field, items, text } from "./field.ts";
import { type ConnectionManager, type EnvoyParts, findParts, routesOf } from "./parts.ts";
import { readRoutes } from "./routes.ts";

/** A cluster of engines. */
export interface EngineCluster {
  readonly name: string;
  /** What its counters start with, `cluster.policy_engine.`. */
  readonly counters: string;
}

export interface Entrance {
  /** The `stat_prefix` of the connection manager; several where managers cannot be told apart by the counters of their filters. */
  readonly name: string;
  /** What the counters of the connection managers start with, `http.ingress.`. */
  readonly counters: readonly string[];
  /** What the engine's filters count under, `http.ingress.ext_proc.`. */
  readonly filterCounters: readonly string[];
  readonly clusters: readonly EngineCluster[];
  /** What may answer a request or let it pass without asking the engine, for messages. */
  readonly ways: readonly string[];
}

/** The entrances of what Envoy's admin port dumps, or of a bootstrap, in its order; none for managers that never ask. */
export function findEntrances(root: Node): readonly Entrance[] {
  const parts = findParts(rootPlace(root));
  const managers = parts.managers.map((manager) => ({ manager, filters: findEngineFilters(manager.place, parts.extensions).filters }));
  const asking = new Set(managers.filter(({ filters }) => filters.length > 0).map(({ manager }) => prefixOf(manager)));
  const entrances = [...asking].map((name): Entrance => {
    const sharing = managers.filter(({ manager }) => prefixOf(manager) === name);
    const counters = `http.${name}.`;
    const filters = sharing.flatMap((one) => one.filters);
    const silent = sharing.some((one) => one.filters.length === 0);
    return {
      name,
      counters: [counters],
      filterCounters: unique(filters.map((filter) => filterCounters(filter, counters))),
      clusters: clustersOf(filters, parts),
      ways: unique([
        ...(silent ? ["a connection manager of the same `stat_prefix` that has no ext_proc filter"] : []),
        ...sharing.flatMap(({ manager, filters: [filter] }) => (filter === undefined ? [] : waysAround(manager, filter, parts))),
      ]),
    };
  });
  return entrances.reduce(mergeShared, []);
}

/** A filter that comes over ECDS counts for all connection managers together (measured). */
function mergeShared(known: readonly Entrance[], next: Entrance): readonly Entrance[] {
  const shares = (one: Entrance): boolean => one.filterCounters.some((prefix) => next.filterCounters.includes(prefix));
  const together = [...known.filter(shares), next];
  const all = (key: "counters" | "filterCounters" | "ways"): readonly string[] => unique(together.flatMap((one) => one[key]));
  return [
    ...known.filter((one) => !shares(one)),
    {
      name: together.map(({ name }) => name).join(", "),
      counters: all("counters"),
      filterCounters: all("filterCounters"),
      clusters: [...new Map(together.flatMap(({ clusters }) => clusters).map((one) => [one.name, one])).values()],
      ways: all("ways"),
    },
  ];
}

function filterCounters({ place, config, name }: EngineFilter, counters: string): string {
  const scope = field(place, "config_discovery") === undefined ? counters : `extension_config_discovery.http_filter.${scopeName(name)}.`;
  const prefix = text(field(config, "stat_prefix")) ?? "";
  return `${scope}ext_proc.${prefix === "" ? "" : `${prefix}.`}`;
}

function clustersOf(filters: readonly EngineFilter[], { clusters }: EnvoyParts): readonly EngineCluster[] {
  const names = unique(filters.flatMap(({ config }) => text(field(config, "grpc_service", "envoy_grpc", "cluster_name")) ?? []));
  return names.map((name) => {
    const cluster = clusters.find((one) => text(field(one, "name")) === name);
    return { name, counters: `cluster.${scopeName(text(field(cluster, "alt_stat_name")) ?? name)}.` };
  });
}

const prefixOf = ({ place }: ConnectionManager): string => text(field(place, "stat_prefix")) ?? "";

/** As Envoy writes the names of clusters and ECDS filters into their counters (`Utility::sanitizeStatsName`); others it leaves as they are (measured). */
const scopeName = (name: string): string => name.replaceAll("://", "_").replaceAll(":/", "_").replaceAll(":", "_");

function waysAround(manager: ConnectionManager, filter: EngineFilter, parts: EnvoyParts): readonly string[] {
  const filters = items(field(manager.place, "http_filters"));
  const before = filters.slice(
    0,
    filters.findIndex(({ node }) => node === filter.place.node),
  );
  const { routes } = routesOf(manager, parts);
  const layers =
    routes === undefined ? [] : readRoutes(routes, filter).routes.flatMap((route) => [...route.layers.slice(0, 1), ...route.parts]);
  return [
    ...before.map((one) => `the filter \`${text(field(one, "name")) ?? ""}\``),
    ...layers.filter(({ disabled }) => disabled).map(({ owner }) => `${owner}, which switches the engine off`),
  ];
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];
