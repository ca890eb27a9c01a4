/** Function and method calls. */
import { compileAccess, reportUnknownName } from "./access.ts";
import { Fault } from "./fault.ts";
import { functions, methods } from "./functions.ts";
import type { Callable } from "./guards.ts";
import { compileLoop, isLoop, loopNames } from "./loops.ts";
import { compileOptionalMethod, isOptionalMethod, optionalMethodNames } from "./optionals.ts";
import {
  type CallNode,
  type Compiler,
  located,
  type MethodNode,
  type Node,
  type Part,
  type Place,
  type Range,
  type Run,
  textOf,
} from "./part.ts";
import { bool, mayBe, nameOf, unknown } from "./types.ts";

const nothing: Part = { type: unknown, run: () => undefined };

export function compileCall(compiler: Compiler, node: CallNode, place: Place): Part {
  const [name, args] = node.args;
  if (name === "has") return compileHas(compiler, node, args, place);
  const range = { start: node.start, end: node.start + name.length };
  const overloads = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (overloads !== undefined) return apply({ compiler, node, range, place, name, overloads, args });
  for (const arg of args) compiler.part(arg, place);
  if (isMethod(name)) compiler.report("unknown-name", range, `\`${name}\` is a method`, `write it behind its subject: \`x.${name}(...)\``);
  else reportUnknownName(compiler, range, `unknown function \`${name}\``, name, ["has", ...Object.keys(functions)]);
  return nothing;
}

export function compileMethod(compiler: Compiler, node: MethodNode, place: Place): Part {
  const [name, receiver, args] = node.args;
  if (isLoop(name)) return compileLoop(compiler, node, name, place);
  if (isOptionalMethod(name)) return compileOptionalMethod(compiler, node, name, place);
  if (name === "matches") return compileMatches(compiler, node, place);
  const start = compiler.text.indexOf(name, receiver.end);
  const range = { start, end: start + name.length };
  const overloads = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (overloads !== undefined) return apply({ compiler, node, range, place, name, overloads, args, receiver });
  for (const part of [receiver, ...args]) compiler.part(part, place);
  if (Object.hasOwn(functions, name)) {
    compiler.report("unknown-name", range, `\`${name}\` is no method`, `write it around its subject: \`${name}(...)\``);
  } else reportUnknownName(compiler, range, `unknown method \`${name}\``, name, methodNames());
  return nothing;
}

function isMethod(name: string): boolean {
  return methodNames().includes(name);
}

function methodNames(): readonly string[] {
  return ["matches", ...loopNames, ...optionalMethodNames, ...Object.keys(methods)];
}

/** Whether the last step of a chain leads anywhere; the steps before it are read as usual. */
function compileHas(compiler: Compiler, node: CallNode, args: readonly Node[], place: Place): Part {
  const [asked] = args;
  if (asked?.op !== "." || args.length !== 1) {
    const isIndex = asked?.op === "[]" && args.length === 1;
    const remedy = isIndex ? `write \`${textOf(compiler, asked.args[1])} in ${textOf(compiler, asked.args[0])}\`` : "write `has(a.b)`";
    compiler.report("type", node, "`has` asks for a field, as in `has(a.b)`", remedy);
    return nothing;
  }
  const { run } = compileAccess(compiler, asked, place, { kind: "presence" });
  return { type: bool, run: (frame) => run(frame) !== undefined };
}

/** Patterns are compiled at load, so a pattern that is computed has no place here. */
function compileMatches(compiler: Compiler, node: MethodNode, place: Place): Part {
  const [name, receiver, args] = node.args;
  const subject = compiler.value(receiver, place);
  const [argument] = args;
  if (argument === undefined || args.length !== 1) {
    compiler.report("type", node, `\`${name}\` takes 1 argument, not ${args.length}`, 'write `x.matches("^pattern$")`');
    return { type: bool, run: subject.run };
  }
  checkKind(compiler, receiver, name, subject, ["string"]);
  if (argument.op !== "value" || typeof argument.args !== "string") {
    compiler.part(argument, place);
    compiler.report(
      "pattern",
      argument,
      "the pattern must be written out as a string, so that it is compiled at load",
      'write `x.matches("^pattern$")`',
    );
    return { type: bool, run: subject.run };
  }
  const pattern = compiler.pattern(argument.args, argument);
  if (pattern === undefined) return { type: bool, run: subject.run };
  const run: Run = (frame) => {
    const text = subject.run(frame);
    if (typeof text === "string") return pattern.test(text);
    throw new Fault("the value is no string");
  };
  return { type: bool, run: located(compiler, node, run) };
}

interface Application {
  readonly compiler: Compiler;
  readonly node: CallNode | MethodNode;
  /** Of the name. */
  readonly range: Range;
  readonly place: Place;
  readonly name: string;
  readonly overloads: readonly Callable[];
  readonly args: readonly Node[];
  readonly receiver?: Node;
}

function apply(application: Application): Part {
  const { compiler, node, range, place, name, overloads, args, receiver } = application;
  const nodes = receiver === undefined ? args : [receiver, ...args];
  const parts = nodes.map((part) => compiler.value(part, place));
  const callable = overloads.find(({ params }) => params.length === parts.length);
  if (callable === undefined) {
    const counts = overloads.map(({ params }) => params.length - nodes.length + args.length).join(" or ");
    compiler.report(
      "type",
      range,
      `\`${name}\` takes ${counts} ${counts === "1" ? "argument" : "arguments"}, not ${args.length}`,
      `pass ${counts}`,
    );
    return nothing;
  }
  for (const [index, part] of nodes.entries()) {
    const [param, compiled] = [callable.params[index], parts[index]];
    if (param !== undefined && compiled !== undefined) checkKind(compiler, part, name, compiled, param.kinds);
  }
  const run = located(
    compiler,
    node,
    callable.prepare === undefined ? runOf(callable, parts) : prepareRun(application, callable.prepare, parts),
  );
  return { type: callable.result, run, ...fold(application, callable, parts) };
}

function checkKind(compiler: Compiler, node: Node, name: string, { type }: Part, kinds: Callable["params"][number]["kinds"]): void {
  if (mayBe(type, kinds)) return;
  const remedy = kinds.includes("string") && kinds.length === 1 ? "convert it with `string(...)`" : `pass ${kinds.join(", ")}`;
  compiler.report("type", node, `\`${name}\` takes ${kinds.join(", ")} here, not ${nameOf(type)}`, remedy);
}

function runOf({ call }: Callable, parts: readonly Part[]): Run {
  const [first, second, third] = parts.map(({ run }) => run);
  if (first === undefined) return () => call();
  if (second === undefined) return (frame) => call(first(frame));
  if (third === undefined) return (frame) => call(first(frame), second(frame));
  return (frame) => call(first(frame), second(frame), third(frame));
}

function prepareRun({ compiler, name, args }: Application, prepare: NonNullable<Callable["prepare"]>, parts: readonly Part[]): Run {
  const [subject, argument] = parts;
  const [node] = args;
  const literal = argument?.literal?.value;
  if (subject === undefined || node === undefined || typeof literal !== "string") {
    if (node !== undefined)
      compiler.report("cost", node, `\`${name}\` takes its argument as a string literal only`, "write the argument out");
    return () => undefined;
  }
  const call = attempt(compiler, node, () => prepare(literal));
  return call === undefined ? () => undefined : (frame) => call(subject.run(frame));
}

/** A call with nothing but literals is made at load: it costs nothing later, and its mistakes are found now. */
function fold({ compiler, node }: Application, callable: Callable, parts: readonly Part[]): Pick<Part, "literal" | "run"> | undefined {
  const values = parts.flatMap(({ literal, type }, index) =>
    literal !== undefined && mayBe(type, callable.params[index]?.kinds ?? []) ? [literal.value] : [],
  );
  if (callable.prepare !== undefined || values.length < parts.length) return undefined;
  const value = attempt(compiler, node, () => callable.call(...values));
  return value === undefined ? undefined : { literal: { value }, run: () => value };
}

function attempt<Value>(compiler: Compiler, node: Node, make: () => Value): Value | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    compiler.report("type", node, error.message, `correct \`${textOf(compiler, node)}\``);
    return undefined;
  }
}
