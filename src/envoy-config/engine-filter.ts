import type { Place } from "../config/node.ts";
import { routeAttribute, routeMetadata } from "../kernel/route-identity.ts";
import { field, isMessage, items, text } from "./field.ts";

/** An ext_proc filter that asks the engine. */
export interface EngineFilter {
  /** The item of `http_filters`. */
  readonly place: Place;
  /** Its `typed_config`, which may stand elsewhere (ECDS). */
  readonly config: Place;
  /** The key of its settings per route. */
  readonly name: string;
}

export interface EngineFilters {
  readonly filters: readonly EngineFilter[];
  /** Filters that Envoy gets from elsewhere: where no other asks the engine, one of them may. */
  readonly elsewhere: readonly Place[];
}

/**
 * Where there are several ext_proc filters: those that carry the route's identity, or all of them when none does. `extensions` are the settings
 * of filters that stand elsewhere, by name.
 */
export function findEngineFilters(manager: Place, extensions: ReadonlyMap<string, Place>): EngineFilters {
  const all = items(field(manager, "http_filters"));
  const extProc = all.flatMap((place): readonly EngineFilter[] => {
    const name = nameOf(place);
    const config = field(place, "typed_config") ?? extensions.get(name);
    return config !== undefined && isMessage(config, "ExternalProcessor") ? [{ place, config, name }] : [];
  });
  const ours = extProc.filter(carriesIdentity);
  return {
    filters: extProc.length > 1 && ours.length > 0 ? ours : extProc,
    elsewhere:
      extProc.length > 0 ? [] : all.flatMap((place) => (extensions.has(nameOf(place)) ? [] : (field(place, "config_discovery") ?? []))),
  };
}

const nameOf = (filter: Place): string => text(field(filter, "name")) ?? "";

function carriesIdentity({ config }: EngineFilter): boolean {
  const metadata = items(field(config, "grpc_service", "initial_metadata")).map((entry) => text(field(entry, "key")));
  const attributes = items(field(config, "request_attributes")).map(text);
  return metadata.includes(routeMetadata) || attributes.includes(routeAttribute);
}
