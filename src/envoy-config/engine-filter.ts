import type { Place } from "../config/node.ts";
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

export interface EngineFilters {
  readonly filters: readonly EngineFilter[];
  /** Filters that Envoy gets from elsewhere: where no other asks the engine, one of them may. */
  readonly elsewhere: readonly Place[];
}

/** Where there are several ext_proc filters: those that carry the route's identity, or all of them when none does. */
export function findEngineFilters(manager: Place): EngineFilters {
  const all = items(field(manager, "http_filters"));
  const extProc = all.flatMap((place): readonly EngineFilter[] => {
    const config = field(place, "typed_config");
    if (config === undefined || !isMessage(config, "ExternalProcessor")) return [];
    return [{ place, config, name: text(field(place, "name")) ?? "" }];
  });
  const ours = extProc.filter(carriesIdentity);
  return {
    filters: extProc.length > 1 && ours.length > 0 ? ours : extProc,
    elsewhere: extProc.length > 0 ? [] : all.flatMap((place) => field(place, "config_discovery") ?? []),
  };
}

function carriesIdentity({ config }: EngineFilter): boolean {
  const metadata = items(field(config, "grpc_service", "initial_metadata")).map((entry) => text(field(entry, "key")));
  const attributes = items(field(config, "request_attributes")).map(text);
  return metadata.includes(routeMetadata) || attributes.includes(routeAttribute);
}
