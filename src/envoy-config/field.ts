/**
 * Values of Envoy's configuration as protobuf's JSON mapping writes them: keys in snake_case or camelCase, enum values by name or number,
 * wrapped numbers as numbers or text. What cannot be read counts as absent: Envoy itself refuses it.
 */
import { entryPlace, itemPlace, type Place } from "../config/node.ts";

/** What a way of keys leads to, `field(place, "grpc_service", "envoy_grpc")`. Undefined where it ends, and for an explicit null. */
export function field(place: Place | undefined, ...keys: readonly string[]): Place | undefined {
  let found = place;
  for (const key of keys) {
    if (found?.node.kind !== "map") return undefined;
    const camelCase = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const written = found.node.entries.has(key) ? key : camelCase;
    const entry = found.node.entries.get(written);
    found = entry && entryPlace(found, written, entry);
  }
  return found?.node.kind === "scalar" && found.node.value === null ? undefined : found;
}

/** The items of a list; nothing for anything else. */
export function items(place: Place | undefined): readonly Place[] {
  if (place?.node.kind !== "list") return [];
  return place.node.items.map((item, index) => itemPlace(place, index, item));
}

/** The entries of a map; nothing for anything else. */
export function entries(place: Place | undefined): readonly (readonly [string, Place])[] {
  if (place?.node.kind !== "map") return [];
  return [...place.node.entries].map(([key, entry]) => [key, entryPlace(place, key, entry)] as const);
}

export function text(place: Place | undefined): string | undefined {
  return place?.node.kind === "scalar" && typeof place.node.value === "string" ? place.node.value : undefined;
}

/** Envoy reads YAML's older words for true as well. */
export function isTrue(place: Place | undefined): boolean {
  const value = place?.node.kind === "scalar" ? place.node.value : undefined;
  return value === true || (typeof value === "string" && /^(?:true|yes|on|y)$/i.test(value));
}

/** Where a runtime flag is on. Envoy reads nested keys as one name, joined with dots, and a number that is not 0 as true. */
export function switchedOn(layer: Place, flag: string): readonly Place[] {
  return entries(layer).flatMap(([key, place]) => {
    if (key === flag) return isSwitchedOn(place) ? [place] : [];
    return flag.startsWith(`${key}.`) ? switchedOn(place, flag.slice(key.length + 1)) : [];
  });
}

export function isSwitchedOn(place: Place | undefined): boolean {
  return isTrue(place) || (number(place) ?? 0) !== 0;
}

export function number(place: Place | undefined): number | undefined {
  const value = place?.node.kind === "scalar" ? place.node.value : undefined;
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** Milliseconds of a protobuf duration, `0.25s`. */
export function durationMs(place: Place | undefined): number | undefined {
  const [, count] = /^(\d+(?:\.\d{1,9})?)s$/.exec(text(place) ?? "") ?? [];
  // To the nanosecond, as protobuf counts: a product of decimals is not exact.
  return count === undefined ? undefined : Math.round(Number(count) * 1e9) / 1e6;
}

/** The name of an enum's value; the first of `names` where nothing is written. `names` stand in the order of their numbers. */
export function choice<Name extends string>(place: Place | undefined, names: readonly [Name, ...Name[]]): Name {
  const value = place?.node.kind === "scalar" ? place.node.value : undefined;
  const name = typeof value === "number" ? names[value] : names.find((candidate) => candidate === value);
  return name ?? names[0];
}

/** Whether a value says of itself that it is this message, `HttpConnectionManager`. */
export function isMessage(place: Place | undefined, name: string): boolean {
  return text(field(place, "@type"))?.endsWith(`.${name}`) === true;
}
