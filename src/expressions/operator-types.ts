/** Which operands the operators take, and of what type the result is. */
import type { Arithmetic } from "./arithmetic.ts";
import { bool, dyn, type Kind, mayBe, type Type, unify, unknown } from "./types.ts";

/** Undefined when the two can never be equal. Records have no equality: it would read all of their fields. */
export function equalityType(left: Type, right: Type): Type | undefined {
  return left.kind === "record" || right.kind === "record" || unify(left, right) === undefined ? undefined : bool;
}

/** Undefined when the operator does not take the two. An int is compared with a double, but never added to one. */
export function orderType(left: Type, right: Type): Type | undefined {
  return ordered.some((kinds) => mayBe(left, kinds) && mayBe(right, kinds)) ? bool : undefined;
}

const ordered: readonly (readonly Kind[])[] = [["int", "double"], ["string"], ["bool"], ["timestamp"], ["duration"]];

/** Undefined when the operator does not take the two; dyn when only the values can tell. */
export function arithmeticType(operator: Arithmetic, left: Type, right: Type): Type | undefined {
  if (operator === "+" && left.kind === "list" && right.kind === "list") {
    const of = unify(left.of, right.of);
    return of && { kind: "list", of };
  }
  if (left.kind === "unknown" || right.kind === "unknown") return unknown;
  const results = new Set<ScalarKind>();
  for (const [leftKind, rightKind, result] of arithmetic[operator]) {
    if (mayBe(left, [leftKind]) && mayBe(right, [rightKind])) results.add(result);
  }
  const [first, ...others] = results;
  const mayBeLists = operator === "+" && mayBe(left, ["list"]) && mayBe(right, ["list"]);
  if (first === undefined) return mayBeLists ? dyn : undefined;
  return others.length > 0 || mayBeLists ? dyn : { kind: first };
}

type ScalarKind = "int" | "double" | "string" | "timestamp" | "duration";

/** Left, right, result: CEL's overloads without those of unsigned integers and bytes. */
const arithmetic: Readonly<Record<Arithmetic, readonly (readonly [ScalarKind, ScalarKind, ScalarKind])[]>> = {
  "+": [
    ["int", "int", "int"],
    ["double", "double", "double"],
    ["string", "string", "string"],
    ["timestamp", "duration", "timestamp"],
    ["duration", "timestamp", "timestamp"],
    ["duration", "duration", "duration"],
  ],
  "-": [
    ["int", "int", "int"],
    ["double", "double", "double"],
    ["timestamp", "timestamp", "duration"],
    ["timestamp", "duration", "timestamp"],
    ["duration", "duration", "duration"],
  ],
  "*": [
    ["int", "int", "int"],
    ["double", "double", "double"],
  ],
  "/": [
    ["int", "int", "int"],
    ["double", "double", "double"],
  ],
  "%": [["int", "int", "int"]],
};
