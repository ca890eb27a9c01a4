import type { Position } from "../errors.ts";
import type { MapEntry, Node } from "./node.ts";

/** Data that was never text of ours, such as an answer in JSON, as a node: all of it stands at `position`, and only its paths tell apart. */
export function valueNode(value: unknown, position: Position): Node {
  if (Array.isArray(value)) return { kind: "list", items: value.map((item) => valueNode(item, position)), position };
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]): [string, MapEntry] => [
      key,
      { keyPosition: position, value: valueNode(inner, position) },
    ]);
    return { kind: "map", entries: new Map(entries), position };
  }
  const known = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return { kind: "scalar", value: known ? value : null, position, positionOf: () => position };
}
