/** What an optional value offers: `orValue`, `or`, `hasValue`, and `value`, which is refused. */
import { type Compiler, type MethodNode, type Part, type Place, type Run, textOf } from "./part.ts";
import { bool, fallbackText, nameOf, type Type, unify, unknown } from "./types.ts";

const argumentCounts = { orValue: 1, or: 1, hasValue: 0, value: 0 } as const;

export type OptionalMethodName = keyof typeof argumentCounts;

export const optionalMethodNames: readonly string[] = Object.keys(argumentCounts);

export function isOptionalMethod(name: string): name is OptionalMethodName {
  return Object.hasOwn(argumentCounts, name);
}

export function compileOptionalMethod(compiler: Compiler, node: MethodNode, name: OptionalMethodName, place: Place): Part {
  const [, receiver, args] = node.args;
  const optional = compiler.part(receiver, place);
  const text = textOf(compiler, receiver);
  const [argument] = args;
  if (args.length !== argumentCounts[name]) {
    compiler.report(
      "type",
      node,
      `\`${name}\` takes ${argumentCounts[name] === 0 ? "no argument" : "1 argument"}, not ${args.length}`,
      `write \`x.${name}(${argumentCounts[name] === 0 ? "" : "..."})\``,
    );
    return { type: unknown, run: optional.run };
  }
  const of = typeInside(compiler, node, name, optional.type, text);
  if (argument === undefined) {
    if (name === "hasValue") return { type: bool, run: (frame) => optional.run(frame) !== undefined };
    compiler.report("may-be-missing", node, `\`${text}\` may be missing`, `write \`${text}.orValue(${fallbackText(of)})\``);
    return { type: unknown, run: optional.run };
  }
  const otherwise = name === "or" ? compiler.part(argument, place) : compiler.value(argument, place);
  const type = unify(name === "or" ? { kind: "optional", of } : of, otherwise.type);
  if (type === undefined) {
    const wanted = nameOf(name === "or" ? { kind: "optional", of } : of);
    compiler.report("type", argument, `\`${name}\` takes ${wanted} here, not ${nameOf(otherwise.type)}`, `give a value of type ${wanted}`);
  }
  const run: Run = (frame) => {
    const value = optional.run(frame);
    return value === undefined ? otherwise.run(frame) : value;
  };
  return { type: type ?? unknown, run };
}

function typeInside(compiler: Compiler, node: MethodNode, name: OptionalMethodName, type: Type, text: string): Type {
  if (type.kind === "optional") return type.of;
  if (type.kind !== "unknown") {
    compiler.report("type", node, `\`${text}\` is not optional, so \`${name}\` has no meaning`, `write \`${text}\` alone`);
  }
  return unknown;
}
