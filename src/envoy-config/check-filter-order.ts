/** Which other HTTP filters may stand where. */
import type { Place } from "../config/node.ts";
import { at, atKey, type Report } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { EngineFilter } from "./engine-filter.ts";
import { field, isTrue, items, text } from "./field.ts";

/** They decide by headers, and policies set headers. */
const headerReaders = ["rbac", "ratelimit", "local_ratelimit", "header_to_metadata", "set_metadata", "stateful_session", "ext_authz"];
/** They answer with what others were allowed to see. */
const caches = ["cache", "cache_v2"];

export function checkFilterOrder(manager: Place, engine: EngineFilter, report: Report): void {
  const filters = items(field(manager, "http_filters"));
  const place = filters.findIndex(({ node }) => node === engine.place.node);
  for (const [index, filter] of filters.entries()) {
    const kind = kindOf(filter);
    const name = text(field(filter, "name")) ?? kind ?? "";
    if (index < place) checkBefore(filter, { kind, name }, report);
    const clears = field(filter, "typed_config", "clear_route_cache");
    if (index > place && isTrue(clears) && clears !== undefined) {
      report(problem("envoy-route-cache", at(clears), { what: `the filter \`${name}\`, which comes after the engine,` }));
    }
  }
}

function checkBefore(filter: Place, { kind, name }: { kind: string | undefined; name: string }, report: Report): void {
  if (kind === "router") report(problem("envoy-after-router", atKey(filter), {}));
  else if (caches.some((one) => one === kind)) report(problem("envoy-cache-before", atKey(filter), { filter: name }));
  else if (headerReaders.some((one) => one === kind)) report(problem("envoy-filter-order", atKey(filter), { filter: name }));
}

/** `type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC` is `rbac`. */
function kindOf(filter: Place): string | undefined {
  return /\.filters\.http\.(\w+)\.v\d/.exec(text(field(filter, "typed_config", "@type")) ?? "")?.[1];
}
