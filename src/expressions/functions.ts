/**
 * The functions and methods of expressions: CEL's standard ones and cel-js's string extensions, without those of bytes and unsigned integers.
 * Macros, `matches` and what handles optional values are compiled in their own files.
 */
import { boundText, inRange } from "./arithmetic.ts";
import { listElementsMax } from "./bounds.ts";
import { parseDuration } from "./duration.ts";
import { Fault } from "./fault.ts";
import * as take from "./guards.ts";
import { binary, type Callable, ternary, unary } from "./guards.ts";
import { readTimestamp, timeMethods } from "./times.ts";
import { bool, dyn, type Type } from "./types.ts";
import { withinBound } from "./values.ts";

const int: Type = { kind: "int" };
const double: Type = { kind: "double" };
const string: Type = { kind: "string" };
const strings: Type = { kind: "list", of: string, elementsMax: listElementsMax };

/** By name; those of one name differ in the number of arguments. */
export const functions: Readonly<Record<string, readonly Callable[]>> = {
  size: [unary(take.sized, int, BigInt)],
  dyn: [unary(take.anything, dyn, (value) => value)],
  string: [unary(take.scalar, string, String)],
  bool: [unary(take.textOrBool, bool, toBool)],
  int: [unary(take.textOrNumber, int, toInt)],
  double: [unary(take.textOrNumber, double, toDouble)],
  timestamp: [unary(take.textOrInt, { kind: "timestamp" }, readTimestamp)],
  duration: [unary(take.text, { kind: "duration" }, parseDuration)],
};

/** By name; the receiver is the first parameter. */
export const methods: Readonly<Record<string, readonly Callable[]>> = {
  size: [unary(take.sized, int, BigInt)],
  startsWith: [binary(take.text, take.text, bool, (text, prefix) => text.startsWith(prefix))],
  endsWith: [binary(take.text, take.text, bool, (text, suffix) => text.endsWith(suffix))],
  contains: [binary(take.text, take.text, bool, (text, part) => text.includes(part))],
  lowerAscii: [unary(take.text, string, (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()))],
  upperAscii: [unary(take.text, string, (text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()))],
  trim: [unary(take.text, string, (text) => text.trim())],
  indexOf: [
    binary(take.text, take.text, int, (text, part) => BigInt(text.indexOf(part))),
    ternary(take.text, take.text, take.position, int, (text, part, from) => BigInt(text.indexOf(part, within(text, from)))),
  ],
  lastIndexOf: [
    binary(take.text, take.text, int, (text, part) => BigInt(text.lastIndexOf(part))),
    ternary(take.text, take.text, take.position, int, (text, part, from) => BigInt(text.lastIndexOf(part, within(text, from)))),
  ],
  substring: [
    binary(take.text, take.position, string, (text, from) => text.slice(within(text, from))),
    ternary(take.text, take.position, take.position, string, substring),
  ],
  split: [
    binary(take.text, take.text, strings, (text, separator) => withinBound(text.split(separator, listElementsMax + 1))),
    ternary(take.text, take.text, take.position, strings, split),
  ],
  join: [unary(take.list, string, (list) => join(list, "")), binary(take.list, take.text, string, join)],
  ...timeMethods,
};

function toBool(value: string | boolean): boolean {
  if (typeof value === "boolean") return value;
  if (["1", "t", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "false", "FALSE", "False"].includes(value)) return false;
  throw new Fault("the text is no bool");
}

function toInt(value: string | bigint | number): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return inRange(BigInt(Math.trunc(value)));
    throw new Fault("the number does not fit into 64 bits");
  }
  if (/^[+-]?\d{1,19}$/.test(value)) return inRange(BigInt(value.replace("+", "")));
  throw new Fault("the text is no int");
}

function toDouble(value: string | bigint | number): number {
  if (typeof value !== "string") return Number(value);
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
  throw new Fault("the text is no double");
}

function within(text: string, position: number): number {
  if (position < 0 || position > text.length) throw new Fault("the position is outside of the text");
  return position;
}

function substring(text: string, from: number, to: number): string {
  if (to < from) throw new Fault("the end is before the start");
  return text.slice(within(text, from), within(text, to));
}

/** With a limit the last element holds the rest, as CEL's string extension has it; a negative limit is none. */
function split(text: string, separator: string, limit: number): readonly string[] {
  const parts = text.split(separator, listElementsMax + 1);
  if (limit < 0 || parts.length <= limit) return withinBound(parts);
  if (limit === 0) return [];
  const taken = parts.slice(0, limit - 1);
  const used = taken.reduce((units, part) => units + part.length + separator.length, 0);
  return withinBound([...taken, text.slice(used)]);
}

function join(list: readonly unknown[], separator: string): string {
  let units = Math.max(0, list.length - 1) * separator.length;
  for (const element of list) units += take.text.take(element).length;
  return boundText(units, () => list.join(separator));
}
