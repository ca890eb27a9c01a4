/** What is written out: scalars, lists and maps. */
import { intMax, intMin } from "./arithmetic.ts";
import type { Compiler, Node, Part, Place } from "./part.ts";
import { nameOf, type Type, unify, unknown } from "./types.ts";

type ListNode = Extract<Node, { readonly op: "list" }>;
type MapNode = Extract<Node, { readonly op: "map" }>;
type ValueNode = Extract<Node, { readonly op: "value" }>;

export function compileLiteral(compiler: Compiler, node: Node, value: ValueNode["args"]): Part {
  return { type: literalType(compiler, node, value), run: () => value, literal: { value } };
}

function literalType(compiler: Compiler, node: Node, value: ValueNode["args"]): Type {
  switch (typeof value) {
    case "string":
      return { kind: "string" };
    case "number":
      return { kind: "double" };
    case "boolean":
      return { kind: "bool" };
    case "bigint":
      if (value < intMin || value > intMax) {
        compiler.report("type", node, "the number does not fit into 64 bits", "use a smaller number, or a double such as `1e20`");
      }
      return { kind: "int" };
    case "object":
      if (value === null) return { kind: "null" };
      compiler.report("type", node, "bytes and unsigned integers are not supported", 'write a string as in `"text"`, an int as in `1`');
      return unknown;
    default:
      return unknown;
  }
}

/** Elements of different types make a list of dyn. */
export function compileList(compiler: Compiler, node: ListNode, place: Place): Part {
  const parts = node.args.map((element) => compiler.value(element, place));
  const type: Type = { kind: "list", of: commonType(compiler, node, parts), elementsMax: parts.length };
  const literals = parts.flatMap(({ literal }) => (literal === undefined ? [] : [literal.value]));
  if (literals.length === parts.length) return { type, run: () => literals };
  return { type, run: (frame) => parts.map(({ run }) => run(frame)) };
}

export function compileMap(compiler: Compiler, node: MapNode, place: Place): Part {
  const entries = node.args.map(([keyNode, valueNode]) => {
    const key = compiler.value(keyNode, place);
    if (key.type.kind !== "string" && key.type.kind !== "unknown") {
      compiler.report("type", keyNode, `a key of a map is a string, not ${nameOf(key.type)}`, 'write the key as in `{"key": 1}`');
    }
    return { key, value: compiler.value(valueNode, place) };
  });
  const of = commonType(
    compiler,
    node,
    entries.map(({ value }) => value),
  );
  return { type: { kind: "map", of }, run: (frame) => new Map(entries.map(({ key, value }) => [key.run(frame), value.run(frame)])) };
}

function commonType(compiler: Compiler, node: Node, parts: readonly Part[]): Type {
  let common = unknown;
  for (const { type } of parts) {
    if (type.kind === "record") compiler.report("type", node, "a record cannot be put into a list or map", "name a field of it");
    common = unify(common, type) ?? { kind: "dyn" };
  }
  return common;
}
