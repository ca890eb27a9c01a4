import type { Place } from "../config/node.ts";
import { at, atKey } from "../config/read.ts";

/** Where a value stands, or where it is missing. */
export function whereOf(place: Place | undefined, owner: Place): ReturnType<typeof at> {
  return place === undefined ? atKey(owner) : at(place);
}
