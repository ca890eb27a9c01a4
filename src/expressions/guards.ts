import { inRange } from "./arithmetic.ts";
import { Duration } from "./duration.ts";
import { Fault } from "./fault.ts";
import type { Kind, Type } from "./types.ts";
import { isObject, kindOf, withinBound } from "./values.ts";

/** What a function takes in one place: checked by kind at load, and by value at run time because a dyn may be anything. */
export interface Guard<Value> {
  readonly kinds: readonly Kind[];
  take(value: unknown): Value;
}

export interface Callable {
  /** The receiver first, where there is one. */
  readonly params: readonly Guard<unknown>[];
  readonly result: Type;
  /** Throws a fault. */
  readonly call: (...values: readonly unknown[]) => unknown;
  /** Set when the last argument must be a string literal: makes it ready at load. Throws a fault when it is not valid. */
  readonly prepare?: (literal: string) => (receiver: unknown) => unknown;
}

export function unary<A>(a: Guard<A>, result: Type, call: (a: A) => unknown): Callable {
  return { params: [a], result, call: (first) => call(a.take(first)) };
}

export function binary<A, B>(a: Guard<A>, b: Guard<B>, result: Type, call: (a: A, b: B) => unknown): Callable {
  return { params: [a, b], result, call: (first, second) => call(a.take(first), b.take(second)) };
}

export function ternary<A, B, C>(a: Guard<A>, b: Guard<B>, c: Guard<C>, result: Type, call: (a: A, b: B, c: C) => unknown): Callable {
  return { params: [a, b, c], result, call: (first, second, third) => call(a.take(first), b.take(second), c.take(third)) };
}

/** A method whose argument is made ready at load, because that is too expensive for an evaluation. */
export function prepared<A>(a: Guard<A>, result: Type, prepare: (literal: string) => (a: A) => unknown): Callable {
  const ready = (literal: string) => {
    const call = prepare(literal);
    return (receiver: unknown) => call(a.take(receiver));
  };
  return { params: [a, text], result, call: (receiver, literal) => ready(text.take(literal))(receiver), prepare: ready };
}

export const anything: Guard<unknown> = {
  kinds: ["string", "int", "double", "bool", "null", "timestamp", "duration", "list", "map"],
  take: (value) => value,
};

export const text: Guard<string> = {
  kinds: ["string"],
  take: (value) => (typeof value === "string" ? value : refuse("string", value)),
};

export const textOrBool: Guard<string | boolean> = {
  kinds: ["string", "bool"],
  take: (value) => (typeof value === "string" || typeof value === "boolean" ? value : refuse("string or bool", value)),
};

export const scalar: Guard<string | boolean | bigint | number> = {
  kinds: ["string", "bool", "int", "double"],
  take: (value) => (typeof value === "boolean" ? value : textOrNumber.take(value)),
};

export const textOrNumber: Guard<string | bigint | number> = {
  kinds: ["string", "int", "double"],
  take: (value) =>
    typeof value === "string" || typeof value === "bigint" || typeof value === "number" ? value : refuse("string, int or double", value),
};

export const textOrInt: Guard<string | bigint> = {
  kinds: ["string", "int"],
  take: (value) => (typeof value === "string" || typeof value === "bigint" ? value : refuse("string or int", value)),
};

/** A position in a text. Beyond 2^53 it loses precision, but no text is that long. */
export const position: Guard<number> = {
  kinds: ["int"],
  take: (value) => (typeof value === "bigint" ? Number(inRange(value)) : refuse("int", value)),
};

export const timestamp: Guard<Date> = {
  kinds: ["timestamp"],
  take: (value) => (value instanceof Date ? value : refuse("timestamp", value)),
};

export const timestampOrDuration: Guard<Date | Duration> = {
  kinds: ["timestamp", "duration"],
  take: (value) => (value instanceof Date || value instanceof Duration ? value : refuse("timestamp or duration", value)),
};

export const list: Guard<readonly unknown[]> = {
  kinds: ["list"],
  take: (value) => (Array.isArray(value) ? withinBound(value) : refuse("list", value)),
};

/** What has a size, as its size. */
export const sized: Guard<number> = {
  kinds: ["string", "list", "map"],
  take(value) {
    if (typeof value === "string") return countCodePoints(value);
    if (Array.isArray(value)) return value.length;
    if (value instanceof Map) return value.size;
    return kindOf(value) === "map" && isObject(value) ? Object.keys(value).length : refuse("string, list or map", value);
  },
};

function countCodePoints(value: string): number {
  let count = 0;
  for (const _ of value) count++;
  return count;
}

function refuse(expected: string, value: unknown): never {
  throw new Fault(`expected ${expected}, found ${kindOf(value)}`);
}
