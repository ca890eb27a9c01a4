import { Fault } from "./fault.ts";
import type { Type } from "./types.ts";
import { isObject, kindOf } from "./values.ts";

/** Checks a value that comes from outside against its declared type; undefined, which is missing, passes. */
export type Reader = (value: unknown) => unknown;

/** Numbers become what CEL computes with: a declared int a bigint, a declared double a number, so that callers may pass either. */
export function readerOf(type: Type): Reader {
  switch (type.kind) {
    case "string":
      return (value) => (typeof value === "string" || value === undefined ? value : mismatch("string"));
    case "int":
      return readInt;
    case "double":
      return (value) =>
        typeof value === "bigint" ? Number(value) : typeof value === "number" || value === undefined ? value : mismatch("double");
    case "bool":
      return (value) => (typeof value === "boolean" || value === undefined ? value : mismatch("bool"));
    case "timestamp":
      return (value) => (value === undefined || (value instanceof Date && !Number.isNaN(value.getTime())) ? value : mismatch("timestamp"));
    case "list":
      return (value) => (value === undefined || Array.isArray(value) ? value : mismatch("list"));
    case "map":
    case "record":
      return (value) => (value === undefined || isObject(value) ? value : mismatch(type.kind));
    default:
      return readDyn;
  }
}

function readInt(value: unknown): unknown {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === "bigint" || value === undefined ? value : mismatch("int");
}

function readDyn(value: unknown): unknown {
  if (value !== undefined) kindOf(value);
  return value;
}

function mismatch(kind: string): never {
  throw new Fault(`the value is no ${kind}`);
}
