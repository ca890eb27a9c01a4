/** What operators mean: `==`, `<`, `+`, `in`, `&&`, `? :` and their like. */
import { compileAccess, type LiteralKey } from "./access.ts";
import { compute, negate, order } from "./arithmetic.ts";
import { listElementsMax } from "./bounds.ts";
import { Fault, failedAt } from "./fault.ts";
import { compileLiteral } from "./literals.ts";
import { arithmeticType, equalityType, orderType } from "./operator-types.ts";
import { type Compiler, type Frame, located, type Node, type Part, type Place, type Run, textOf } from "./part.ts";
import { bool, mayBe, nameOf, type Type, unify, unknown } from "./types.ts";
import { areEqual, elementsOf, hasKey } from "./values.ts";

export type BinaryNode = Extract<Node, { readonly op: "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%" }>;
export type LogicNode = Extract<Node, { readonly op: "&&" | "||" }>;
export type UnaryNode = Extract<Node, { readonly op: "!_" | "-_" }>;
export type InNode = Extract<Node, { readonly op: "in" }>;
export type TernaryNode = Extract<Node, { readonly op: "?:" }>;

export function compileBinary(compiler: Compiler, node: BinaryNode, place: Place): Part {
  const left = compiler.value(node.args[0], place);
  const right = compiler.value(node.args[1], place);
  const { type, run } = binary(node.op, left, right);
  if (type === undefined) {
    const operands = `${nameOf(left.type)} and ${nameOf(right.type)}`;
    compiler.report("type", node, `\`${node.op}\` does not take ${operands}`, remedyOf(node.op, left.type, right.type));
  }
  return { type: type ?? unknown, run: located(compiler, node, run) };
}

/** A whole row of `&&` or `||`. An error counts only when no other operand decides, as CEL wants it. */
export function compileLogic(compiler: Compiler, node: LogicNode, place: Place): Part {
  const operands = operandsOf(node).map((operand) => compileCondition(compiler, operand, place));
  const decisive = node.op === "||";
  const run: Run = (frame) => {
    let failure: { readonly error: unknown } | undefined;
    for (const holds of operands) {
      try {
        if (holds(frame) === decisive) return decisive;
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return !decisive;
  };
  return { type: bool, run };
}

function operandsOf(node: LogicNode): readonly Node[] {
  const operands: Node[] = [];
  let left: Node = node;
  while (left.op === node.op) {
    operands.push(left.args[1]);
    left = left.args[0];
  }
  return [left, ...operands.reverse()];
}

export function compileTernary(compiler: Compiler, node: TernaryNode, place: Place): Part {
  const decide = compileCondition(compiler, node.args[0], place);
  const yes = compiler.part(node.args[1], place);
  const no = compiler.part(node.args[2], place);
  const type = unify(yes.type, no.type);
  if (type === undefined) {
    const types = `${nameOf(yes.type)} and ${nameOf(no.type)}`;
    compiler.report("type", node, `the two results of \`? :\` are of different types, ${types}`, "give both the same type");
  }
  return { type: type ?? unknown, run: (frame) => (decide(frame) ? yes.run(frame) : no.run(frame)) };
}

export function compileUnary(compiler: Compiler, node: UnaryNode, place: Place): Part {
  if (node.op === "!_") {
    const holds = compileCondition(compiler, node.args, place);
    return { type: bool, run: (frame) => !holds(frame) };
  }
  const negated = node.args;
  if (negated.op === "value" && (typeof negated.args === "bigint" || typeof negated.args === "number")) {
    // The smallest int is the negation of a number that is no int itself.
    return compileLiteral(compiler, node, -negated.args);
  }
  const { type, run } = compiler.value(negated, place);
  if (!mayBe(type, ["int", "double"])) {
    compiler.report("type", node, `\`-\` does not take ${nameOf(type)}`, "negate an int or a double");
    return { type: unknown, run };
  }
  return { type, run: located(compiler, node, (frame) => negate(run(frame))) };
}

export function compileIn(compiler: Compiler, node: InNode, place: Place): Part {
  const [keyNode, containerNode] = node.args;
  const key = compiler.value(keyNode, place);
  const name = key.literal?.value;
  const literal: LiteralKey | undefined = typeof name === "string" ? { name, range: keyNode } : undefined;
  const access = compileAccess(compiler, containerNode, place, { kind: "membership", key: literal });
  const { type, run } = compiler.required(access, containerNode);
  if (type.kind === "list" || type.kind === "dyn") {
    compiler.loop(node, place, (type.kind === "list" ? type.elementsMax : undefined) ?? listElementsMax);
  }
  if (!canContain(type, key.type)) {
    const remedy =
      type.kind === "record"
        ? `ask \`has(${textOf(compiler, containerNode)}.${literal?.name ?? "field"})\``
        : "look for a value in a list of its type, or for a string among the keys of a map";
    compiler.report("type", node, `\`in\` cannot look for ${nameOf(key.type)} in ${nameOf(type)}`, remedy);
  }
  return { type: bool, run: located(compiler, node, (frame) => contains(run(frame), key.run(frame))) };
}

/** A part that decides something: a bool, or a dyn that must turn out to be one. */
export function compileCondition(compiler: Compiler, node: Node, place: Place): (frame: Frame) => boolean {
  const { type, run } = compiler.value(node, place);
  const text = textOf(compiler, node);
  if (!mayBe(type, ["bool"])) compiler.report("type", node, `\`${text}\` is ${nameOf(type)}, not bool`, "compare it with a value");
  return (frame) => {
    const value = run(frame);
    if (typeof value === "boolean") return value;
    throw failedAt(text, new Fault("the value is no bool"));
  };
}

function binary(operator: BinaryNode["op"], left: Part, right: Part): { readonly type: Type | undefined; readonly run: Run } {
  const [first, second] = [left.run, right.run];
  switch (operator) {
    case "==":
      return { type: equalityType(left.type, right.type), run: (frame) => areEqual(first(frame), second(frame)) };
    case "!=":
      return { type: equalityType(left.type, right.type), run: (frame) => !areEqual(first(frame), second(frame)) };
    case "<":
    case "<=":
    case ">":
    case ">=":
      return { type: orderType(left.type, right.type), run: (frame) => order(operator, first(frame), second(frame)) };
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return {
        type: arithmeticType(operator, left.type, right.type),
        run: (frame) => compute(operator, first(frame), second(frame)),
      };
  }
}

function remedyOf(operator: BinaryNode["op"], left: Type, right: Type): string {
  if (left.kind === "record" || right.kind === "record") return "name a field of the record";
  if (left.kind === "string" || right.kind === "string") {
    return operator === "+"
      ? "convert the other side with `string(...)`"
      : "convert one side, for example with `int(...)` or `string(...)`";
  }
  if (mayBe(left, ["int", "double"]) && mayBe(right, ["int", "double"])) {
    return "convert one side with `int(...)` or `double(...)`; a double is written with a point, as in `1.0`";
  }
  return `use two values that \`${operator}\` takes`;
}

function canContain(container: Type, key: Type): boolean {
  switch (container.kind) {
    case "list":
      return equalityType(container.of, key) !== undefined;
    case "map":
      return mayBe(key, ["string"]);
    default:
      return mayBe(container, []);
  }
}

function contains(container: unknown, key: unknown): boolean {
  if (Array.isArray(container)) return elementsOf(container).some((element) => areEqual(element, key));
  if (typeof key !== "string") throw new Fault("the key is no string");
  return hasKey(container, key);
}
