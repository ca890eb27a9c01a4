/**
 * The types of the parts of an expression: those of variables, and those that only arise inside expressions.
 */
import type { Field } from "./expression.ts";

export type Type = ScalarType | ListType | MapType | RecordType | OptionalType;

export type Kind = Type["kind"];

/** `unknown` is what follows a problem that is already reported, and the element of an empty list: it fits everywhere. */
export interface ScalarType {
  readonly kind: "string" | "int" | "double" | "bool" | "timestamp" | "duration" | "null" | "dyn" | "unknown";
}

export interface ListType {
  readonly kind: "list";
  readonly of: Type;
  /** Upper bound of the number of elements, where it is known at load. */
  readonly elementsMax?: number;
}

export interface MapType {
  readonly kind: "map";
  readonly of: Type;
  readonly lowerCaseKeys?: boolean;
  readonly constantKeysOnly?: boolean;
}

export interface RecordType {
  readonly kind: "record";
  readonly fields: Readonly<Record<string, Field>>;
}

export interface OptionalType {
  readonly kind: "optional";
  readonly of: Type;
}

export const unknown: Type = { kind: "unknown" };
export const dyn: Type = { kind: "dyn" };
export const bool: Type = { kind: "bool" };

/** The type that both have, undefined when there is none. */
export function unify(left: Type, right: Type): Type | undefined {
  if (left === right || right.kind === "unknown") return left;
  if (left.kind === "unknown") return right;
  if (left.kind === "dyn" || right.kind === "dyn") return left.kind === "optional" || right.kind === "optional" ? undefined : dyn;
  switch (left.kind) {
    case "list": {
      if (right.kind !== "list") return undefined;
      const of = unify(left.of, right.of);
      if (of === undefined) return undefined;
      if (left.elementsMax === undefined || right.elementsMax === undefined) return { kind: "list", of };
      return { kind: "list", of, elementsMax: Math.max(left.elementsMax, right.elementsMax) };
    }
    case "map": {
      const of = right.kind === "map" ? unify(left.of, right.of) : undefined;
      return of && { kind: "map", of };
    }
    case "optional": {
      const of = right.kind === "optional" ? unify(left.of, right.of) : undefined;
      return of && { kind: "optional", of };
    }
    case "record":
      return undefined;
    default:
      return left.kind === right.kind ? left : undefined;
  }
}

/** Whether a value of the type may turn out to be of one of the kinds. */
export function mayBe(type: Type, kinds: readonly Kind[]): boolean {
  return type.kind === "dyn" || type.kind === "unknown" || kinds.includes(type.kind);
}

/** For messages: `string`, `list(string)`. */
export function nameOf(type: Type): string {
  switch (type.kind) {
    case "list":
    case "map":
    case "optional":
      return `${type.kind}(${nameOf(type.of)})`;
    case "unknown":
      return "dyn";
    default:
      return type.kind;
  }
}

/** What to write as the value that holds when something of this type is missing. */
export function fallbackText(type: Type): string {
  switch (type.kind) {
    case "int":
      return "0";
    case "double":
      return "0.0";
    case "bool":
      return "false";
    case "list":
      return "[]";
    case "map":
      return "{}";
    case "timestamp":
      return "timestamp(0)";
    case "duration":
      return 'duration("0s")';
    case "null":
      return "null";
    case "string":
    case "dyn":
    case "unknown":
    case "record":
    case "optional":
      return '""';
  }
}
