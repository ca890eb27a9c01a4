/** Names, rewrites and the filter's settings of each route. */
import type { Place } from "../config/node.ts";
import { at, atKey, type Report } from "../config/read.ts";
import { problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import type { CheckContext } from "./check-context.ts";
import { checkNamespaces } from "./check-filter.ts";
import { checkRouteMetadata } from "./check-identity.ts";
import { checkService } from "./check-service.ts";
import { chainOf, type EnvoyDemands } from "./demands.ts";
import type { EngineFilter } from "./engine-filter.ts";
import { entries, field, isTrue, items } from "./field.ts";
import { type FilteredRoute, type FilterLayer, ownerText } from "./routes.ts";

/** Returns the gRPC services that routes name in place of the filter's. */
export function checkRoutes(routes: readonly FilteredRoute[], filter: EngineFilter | undefined, context: CheckContext): readonly Place[] {
  const services: Place[] = [];
  for (const route of routes) {
    if (isAsked(route, filter, context.report)) {
      checkName(route, context);
      checkRewrites(route, context);
    }
    for (const layer of [...route.layers, ...route.parts]) services.push(...checkLayer(layer, route, context));
  }
  reportNeverAsked(routes, filter, context.report);
  return services;
}

/** Whether requests of the route reach the engine. The most specific of its layers decides. */
function isAsked({ place, name, layers, parts }: FilteredRoute, filter: EngineFilter | undefined, report: Report): boolean {
  const [layer] = layers;
  for (const one of [layer, ...parts]) {
    if (one?.disabled === true) report(problem("envoy-route-disabled", atKey(one.place), { owner: one.owner }));
  }
  if (layer === undefined && isOff(filter)) report(problem("envoy-route-disabled", atKey(place), { owner: ownerText("route", name) }));
  return layer === undefined ? !isOff(filter) : !layer.disabled;
}

/** The filter is switched off, for routes to switch it on. */
function isOff(filter: EngineFilter | undefined): boolean {
  return filter !== undefined && isTrue(field(filter.place, "disabled"));
}

function reportNeverAsked(routes: readonly FilteredRoute[], filter: EngineFilter | undefined, report: Report): void {
  if (filter === undefined || !isOff(filter) || routes.some(({ layers: [layer] }) => layer !== undefined && !layer.disabled)) return;
  const disabled = field(filter.place, "disabled");
  if (disabled !== undefined) report(problem("envoy-not-asked", at(disabled), {}));
}

function checkName({ place, name, ownChain }: FilteredRoute, { demands, report }: CheckContext): void {
  const { routes, chains, unmatched, settings } = demands;
  const where = atKey(field(place, "name") ?? place);
  if (ownChain !== undefined) {
    const detail = ownChainFault(name, ownChain, demands);
    if (detail !== undefined)
      report(problem("envoy-route-chain", where, { route: name, detail, suggestion: suggest(ownChain, chains.keys()) }));
  }
  if (name === "") {
    const denied = unmatched.kind === "deny" || settings.envoy.identity === "metadata";
    if (ownChain === undefined && denied) report(problem("envoy-route-unnamed", where, {}));
    return;
  }
  if (settings.envoy.identity !== "attributes" && /[^\x20-\x7e]/.test(name)) report(problem("envoy-route-name", where, { route: name }));
  if (routes.has(name) || ownChain !== undefined) return;
  const suggestion = suggest(name, routes.keys());
  // Otherwise it is said aloud what becomes of such routes.
  if (unmatched.kind === "deny" || suggestion !== undefined) {
    report(problem("envoy-route-unknown", where, { route: name, suggestion, outcome: consequence(demands) }));
  }
}

function ownChainFault(name: string, ownChain: string, { routes, chains }: EnvoyDemands): string | undefined {
  if (routes.has(name) && routes.get(name) !== ownChain) {
    return `the configuration gives it ${routes.get(name) === undefined ? "no chain" : `the chain \`${routes.get(name)}\``}, its own metadata \`${ownChain}\``;
  }
  return chains.has(ownChain) ? undefined : `its own metadata names the chain \`${ownChain}\`, which does not exist`;
}

function consequence({ unmatched }: EnvoyDemands): string {
  switch (unmatched.kind) {
    case "deny":
      return "its requests are denied";
    case "pass":
      return "its requests pass without any policy";
    case "chain":
      return `its requests run the chain \`${unmatched.chain}\``;
    default:
      return unmatched satisfies never;
  }
}

const rewrites = {
  path: ["prefix_rewrite", "regex_rewrite", "path_rewrite_policy", "path_rewrite"],
  host: ["host_rewrite_literal", "auto_host_rewrite", "host_rewrite_header", "host_rewrite_path_regex"],
} as const;

/** The router rewrites what the policies have left. */
function checkRewrites({ place, name, ownChain }: FilteredRoute, { demands, report }: CheckContext): void {
  const chain = chainOf(demands, name, ownChain);
  const action = field(place, "route");
  const places = [action, ...items(field(action, "weighted_clusters", "clusters"))].flatMap(entries);
  for (const part of ["path", "host"] as const) {
    if (chain?.mutates.has(part) !== true) continue;
    for (const [key, rewrite] of places) {
      const known = rewrites[part].some((one) => one === snakeCase(key));
      if (known && !isFalse(rewrite)) report(problem("envoy-route-rewrite", atKey(rewrite), { key: snakeCase(key), part, route: name }));
    }
  }
}

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isFalse = ({ node }: Place): boolean => node.kind === "scalar" && (node.value === false || node.value === "" || node.value === null);

/** What routes may override. Their processing modes are `check-modes`' part. */
function checkLayer({ overrides }: FilterLayer, { name }: FilteredRoute, context: CheckContext): readonly Place[] {
  const { report } = context;
  if (overrides === undefined) return [];
  const allowed = field(overrides, "failure_mode_allow");
  if (allowed !== undefined && isTrue(allowed)) report(problem("envoy-fail-open", at(allowed), {}));
  checkRouteMetadata(field(overrides, "grpc_initial_metadata"), name, context);
  if (field(overrides, "metadata_options", "receiving_namespaces") !== undefined) checkNamespaces(overrides, overrides, context);
  const service = field(overrides, "grpc_service");
  if (service === undefined) return [];
  checkService(service, context);
  return [service];
}
