/** What the arithmetic and order operators do with values at run time. */
import { builtUnitsMax } from "./bounds.ts";
import { Duration } from "./duration.ts";
import { Fault } from "./fault.ts";
import { kindOf, withinBound } from "./values.ts";

export type Arithmetic = "+" | "-" | "*" | "/" | "%";
export type Order = "<" | "<=" | ">" | ">=";

export const intMin = -(2n ** 63n);
export const intMax = 2n ** 63n - 1n;

/** Throws a fault when the operator does not take the two, on overflow and on division by zero. */
export function compute(operator: Arithmetic, left: unknown, right: unknown): unknown {
  if (typeof left === "bigint" && typeof right === "bigint") return inRange(computeInts(operator, left, right));
  if (typeof left === "number" && typeof right === "number" && operator !== "%") return computeDoubles(operator, left, right);
  if (operator === "+") {
    if (typeof left === "string" && typeof right === "string") return boundText(left.length + right.length, () => left + right);
    if (Array.isArray(left) && Array.isArray(right)) return withinBound([...withinBound(left), ...withinBound(right)]);
    if (left instanceof Duration && right instanceof Duration) return new Duration(left.nanoseconds + right.nanoseconds);
    if (left instanceof Date && right instanceof Duration) return moved(left, right.milliseconds);
    if (left instanceof Duration && right instanceof Date) return moved(right, left.milliseconds);
  }
  if (operator === "-") {
    if (left instanceof Duration && right instanceof Duration) return new Duration(left.nanoseconds - right.nanoseconds);
    if (left instanceof Date && right instanceof Duration) return moved(left, new Duration(-right.nanoseconds).milliseconds);
    if (left instanceof Date && right instanceof Date) return new Duration(BigInt(left.getTime() - right.getTime()) * 1_000_000n);
  }
  throw new Fault(`\`${operator}\` does not take ${kindOf(left)} and ${kindOf(right)}`);
}

export function negate(value: unknown): unknown {
  if (typeof value === "bigint") return inRange(-value);
  if (typeof value === "number") return -value;
  throw new Fault(`\`-\` does not take ${kindOf(value)}`);
}

/** Text that grows in an evaluation stays within its bound; the text is only made when it does. */
export function boundText(units: number, text: () => string): string {
  if (units > builtUnitsMax) throw new Fault(`the text has more than ${builtUnitsMax} characters`);
  return text();
}

export function inRange(value: bigint): bigint {
  if (value < intMin || value > intMax) throw new Fault("the number does not fit into 64 bits");
  return value;
}

export function order(operator: Order, left: unknown, right: unknown): boolean {
  if ((typeof left === "bigint" || typeof left === "number") && (typeof right === "bigint" || typeof right === "number")) {
    return compare(operator, left, right);
  }
  if (typeof left === "string" && typeof right === "string") return compare(operator, left, right);
  if (typeof left === "boolean" && typeof right === "boolean") return compare(operator, left, right);
  if (left instanceof Date && right instanceof Date) return compare(operator, left.getTime(), right.getTime());
  if (left instanceof Duration && right instanceof Duration) return compare(operator, left.nanoseconds, right.nanoseconds);
  throw new Fault(`\`${operator}\` does not take ${kindOf(left)} and ${kindOf(right)}`);
}

type Ordered = string | boolean | number | bigint;

function compare(operator: Order, left: Ordered, right: Ordered): boolean {
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}

function computeInts(operator: Arithmetic, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
    case "%":
      if (right === 0n) throw new Fault("division by zero");
      return operator === "/" ? left / right : left % right;
  }
}

function computeDoubles(operator: Exclude<Arithmetic, "%">, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
  }
}

function moved(time: Date, milliseconds: number): Date {
  const result = new Date(time.getTime() + milliseconds);
  if (Number.isNaN(result.getTime())) throw new Fault("the timestamp is out of range");
  return result;
}
