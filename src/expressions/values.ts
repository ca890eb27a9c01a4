/**
 * What values are while an expression runs: string, bigint (int), number (double), boolean, null, Date, Duration, arrays, and maps, which are
 * Maps or objects. Only own properties of an object are ever seen, and `undefined` is a value that is missing.
 */
import { listElementsMax } from "./bounds.ts";
import { Duration } from "./duration.ts";
import { Fault } from "./fault.ts";
import type { Kind } from "./types.ts";

type PlainObject = Readonly<Record<string, unknown>>;

/** The kind of a value; a record is a map here. Throws a fault on what no expression can handle, such as a function or a promise. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case "string":
      return "string";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "boolean":
      return "bool";
    case "object":
      return value === null ? "null" : kindOfObject(value);
    default:
      return unsupported();
  }
}

function kindOfObject(value: object): Kind {
  if (Array.isArray(value)) return "list";
  if (value instanceof Date) return "timestamp";
  if (value instanceof Duration) return "duration";
  return value instanceof Map || isPlain(value) ? "map" : unsupported();
}

function unsupported(): never {
  throw new Fault("a value of a kind that expressions do not know");
}

/** Anything with properties that is not one of the other kinds. */
export function isObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The value under a key of a map, undefined when there is none. */
export function entryOf(map: unknown, key: string): unknown {
  if (map instanceof Map) return map.get(key);
  if (!isObject(map)) throw new Fault("not a map");
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

export function hasKey(map: unknown, key: string): boolean {
  if (map instanceof Map) return map.has(key);
  if (!isObject(map)) throw new Fault("not a map");
  return Object.hasOwn(map, key) && map[key] !== undefined;
}

/** The elements of a list, or the keys of a map, as a loop sees them. */
export function elementsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return withinBound(value);
  if (value instanceof Map) {
    boundSize(value.size);
    return [...value.keys()];
  }
  if (isObject(value) && isPlain(value)) return withinBound(Object.keys(value));
  throw new Fault("not a list or map");
}

export function withinBound<Element>(list: readonly Element[]): readonly Element[] {
  boundSize(list.length);
  return list;
}

function boundSize(elements: number): void {
  if (elements > listElementsMax) throw new Fault(`the list has more than ${listElementsMax} elements`);
}

/** CEL's equality: numbers by value whatever their type, lists and maps by content. */
export function areEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  switch (typeof left) {
    case "string":
    case "boolean":
      return false;
    case "bigint":
      return typeof right === "number" && isSameNumber(left, right);
    case "number":
      return typeof right === "bigint" && isSameNumber(right, left);
    default:
      return haveEqualParts(left, right);
  }
}

function haveEqualParts(left: unknown, right: unknown): boolean {
  const kind = kindOf(left);
  if (kind !== kindOf(right)) return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && withinBound(left).every((element, index) => areEqual(element, right[index]));
  }
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime();
  if (left instanceof Duration && right instanceof Duration) return left.nanoseconds === right.nanoseconds;
  return kind === "map" && haveEqualEntries(left, right);
}

function isSameNumber(int: bigint, double: number): boolean {
  return Number.isInteger(double) && BigInt(double) === int;
}

function haveEqualEntries(left: unknown, right: unknown): boolean {
  const keys = elementsOf(left);
  return (
    keys.length === elementsOf(right).length &&
    keys.every((key) => typeof key === "string" && hasKey(right, key) && areEqual(entryOf(left, key), entryOf(right, key)))
  );
}
