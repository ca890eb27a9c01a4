/**
 * A document as data that knows where it stands: what `parse` makes of YAML, and all that the other files of this folder know of it.
 */
import type { Position } from "../errors.ts";

export type Node = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly position: Position;
  /** Where a character of a text value stands in the document. `offset` counts UTF-16 units of the value; past its end is the end. */
  readonly positionOf: (offset: number) => Position;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly position: Position;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly position: Position;
}

export interface MapEntry {
  readonly keyPosition: Position;
  readonly value: Node;
}

export type PlainValue = string | number | boolean | null | readonly PlainValue[] | { readonly [key: string]: PlainValue };

/** A node, what leads to it from the root of its document, and where its key stands (its own position where it has none). */
export interface Place {
  readonly node: Node;
  /** `chains.api.steps[0].when` */
  readonly path: string;
  readonly keyPosition: Position;
}

/** The root of a document as a place. */
export function rootPlace(node: Node): Place {
  return { node, path: "", keyPosition: node.position };
}

/** The place of an entry of a map. */
export function entryPlace(parent: Place, key: string, entry: MapEntry): Place {
  return { node: entry.value, path: keyPath(parent.path, key), keyPosition: entry.keyPosition };
}

/** The place of an item of a list. */
export function itemPlace(parent: Place, index: number, item: Node): Place {
  return { node: item, path: `${parent.path}[${index}]`, keyPosition: item.position };
}

/** `chains.api`, `routes["a b"]` */
export function keyPath(parent: string, key: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}

/** The value without positions. Never mutated, so that parts may be shared. */
export function plainValue(node: Node): PlainValue {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(plainValue);
    case "map":
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainValue(entry.value)]));
  }
}

/** For messages: what was found, without the value itself. */
export function describeNode(node: Node): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  return describeValue(node.value);
}

/** For messages: the kind of a plain value. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "a map";
  return typeof value === "string" ? "text" : "a number";
}
