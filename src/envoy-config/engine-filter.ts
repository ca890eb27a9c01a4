import type { Place } from "../config/node.ts";
import { atKey, type Report } from "../config/read.ts";
import { problem } from "../errors.ts";
import { routeAttribute, routeMetadata } from "../kernel/route-identity.ts";
import { field, isMessage, items, text } from "./field.ts";

/** An ext_proc filter that asks the engine. */
export interface EngineFilter {
  /** The item of `http_filters`. */
  readonly place: Place;
  /** Its `typed_config`. */
  readonly config: Place;
  /** The key of its settings per route. */
  readonly name: string;
}

/** Where there are several ext_proc filters: those that carry the route's identity, or all of them when none does. */
export function findEngineFilters(manager: Place, report: Report): readonly EngineFilter[] {
  const filters = items(field(manager, "http_filters"));
  const extProc = filters.flatMap((place): readonly EngineFilter[] => {
    const config = field(place, "typed_config");
    if (config === undefined || !isMessage(config, "ExternalProcessor")) return [];
    return [{ place, config, name: text(field(place, "name")) ?? "" }];
  });
  // A filter that Envoy gets from elsewhere may be the one.
  for (const filter of extProc.length > 0 ? [] : filters) {
    const discovery = field(filter, "config_discovery");
    if (discovery !== undefined) report(problem("envoy-unseen", atKey(discovery), { what: "the filter" }));
  }
  const ours = extProc.filter(carriesIdentity);
  return extProc.length > 1 && ours.length > 0 ? ours : extProc;
}

function carriesIdentity({ config }: EngineFilter): boolean {
  const metadata = items(field(config, "grpc_service", "initial_metadata")).map((entry) => text(field(entry, "key")));
  const attributes = items(field(config, "request_attributes")).map(text);
  return metadata.includes(routeMetadata) || attributes.includes(routeAttribute);
}
