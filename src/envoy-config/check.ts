/** Somebody's Envoy configuration -> what in it would break or weaken the chains. */
import { type Node, type Place, rootPlace } from "../config/node.ts";
import { parseYaml } from "../config/parse.ts";
import { sortProblems } from "../config/problems.ts";
import { at, atKey, type Report } from "../config/read.ts";
import type { SourceDocument } from "../config/types.ts";
import { type Problem, problem } from "../errors.ts";
import { checkBuffers } from "./check-buffers.ts";
import { checkEngineCluster } from "./check-cluster.ts";
import type { CheckContext } from "./check-context.ts";
import { checkFilter } from "./check-filter.ts";
import { checkFilterOrder } from "./check-filter-order.ts";
import { checkManager } from "./check-manager.ts";
import { checkModes } from "./check-modes.ts";
import { checkReach } from "./check-reach.ts";
import { checkRoutes } from "./check-routes.ts";
import { checkRuntime } from "./check-runtime.ts";
import type { EnvoyDemands } from "./demands.ts";
import { type EngineFilter, findEngineFilters } from "./engine-filter.ts";
import { field, text } from "./field.ts";
import { type ConnectionManager, findParts, routesOf } from "./parts.ts";
import { type RouteTable, readRoutes } from "./routes.ts";

/** Reads the text of what `checkEnvoyNode` checks. Never throws. Problems come sorted by line and column. */
export function checkEnvoy(document: SourceDocument, demands: EnvoyDemands): readonly Problem[] {
  const { root, problems } = parseYaml(document);
  return sortProblems(root === undefined ? problems : [...problems, ...checkEnvoyNode(root, demands)]);
}

/**
 * Checks a bootstrap, a connection manager or a route configuration, or what Envoy's admin port dumps of these. Never throws. Errors break or
 * weaken the chains, warnings ask for a second look or say what could not be seen.
 */
export function checkEnvoyNode(root: Node, demands: EnvoyDemands): readonly Problem[] {
  const found = new Map<string, Problem>();
  const report: Report = (next) => {
    found.set(`${next.path}:${next.code}:${next.message}`, next);
  };
  checkDocument(rootPlace(root), demands, report);
  return [...found.values()];
}

function checkDocument(root: Place, demands: EnvoyDemands, report: Report): void {
  const parts = findParts(root);
  const context: CheckContext = { demands, parts, report };
  const { managers, routeConfigs, dynamic } = parts;
  if (dynamic.listeners !== undefined) reportUnseen(dynamic.listeners, "listeners", report);
  if (managers.length === 0 && routeConfigs.length === 0 && dynamic.listeners === undefined) {
    report(problem("envoy-not-found", at(root), {}));
    return;
  }
  const asking = managers.map((manager) => ({ manager, ...findEngineFilters(manager.place, parts.extensions) }));
  const nobodyAsks = asking.every(({ filters }) => filters.length === 0);
  const tables: (RouteTable | undefined)[] = [];
  for (const { manager, filters, elsewhere } of asking) {
    for (const place of elsewhere) reportUnseen(place, "HTTP filters", report);
    if (filters.length === 0 && elsewhere.length === 0)
      report(problem(nobodyAsks ? "envoy-not-asked" : "envoy-listener-not-asked", atKey(manager.place), {}));
    for (const filter of filters) tables.push(checkAsking(manager, filter, context));
  }
  for (const config of managers.length === 0 ? routeConfigs : []) {
    const table = checkRouteTable(config, undefined, context);
    checkModes(table.routes, undefined, context);
    tables.push(table);
  }
  checkReach(tables, context);
  checkRuntime(context);
  reportRefused(parts.refused, report);
}

/** Returns what it knows of the connection manager's routes; undefined when they come from elsewhere. */
function checkAsking(manager: ConnectionManager, filter: EngineFilter, context: CheckContext): RouteTable | undefined {
  const { report } = context;
  checkManager(manager.place, report);
  checkFilterOrder(manager.place, filter, report);
  checkBuffers(manager, context);
  for (const service of checkFilter(filter, context)) checkEngineCluster(service, context);
  const { routes, elsewhere } = routesOf(manager, context.parts);
  if (elsewhere !== undefined) reportUnseen(elsewhere, "routes", report);
  const table = routes && checkRouteTable(routes, filter, context);
  checkModes(table?.routes ?? [], filter, context);
  return table;
}

function checkRouteTable(place: Place, filter: EngineFilter | undefined, context: CheckContext): RouteTable {
  const table = readRoutes(place, filter);
  for (const one of table.elsewhere) reportUnseen(one, "routes", context.report);
  for (const service of checkRoutes(table.routes, filter, context)) checkEngineCluster(service, context);
  return table;
}

/** Envoy lists one refused update both with what runs and alone, there without a name of its own (measured). */
function reportRefused(refused: readonly Place[], report: Report): void {
  const nameOf = (place: Place): string =>
    text(field(place, "name")) ?? text(field(place, "error_state", "failed_configuration", "name")) ?? "";
  const byName = new Map(refused.toReversed().map((place) => [nameOf(place), place]));
  for (const [resource, place] of byName) report(problem("envoy-update-refused", atKey(place), { resource }));
}

/** Another part of Envoy's configuration than this document. */
function reportUnseen(place: Place, what: string, report: Report): void {
  const name = text(field(place, "route_config_name"));
  report(problem("envoy-unseen", atKey(place), { what: name === undefined ? what : `${what} \`${name}\`` }));
}
