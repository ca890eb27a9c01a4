/** `all`, `exists`, `exists_one`, `map` and `filter`, over the elements of a list or the keys of a map. */
import { listElementsMax } from "./bounds.ts";
import { compileCondition } from "./operators.ts";
import {
  type Compiler,
  type Frame,
  type Local,
  located,
  type MethodNode,
  type Node,
  type Part,
  type Place,
  type Run,
  textOf,
} from "./part.ts";
import { readerOf } from "./readers.ts";
import { bool, dyn, nameOf, type Type, unknown } from "./types.ts";
import { elementsOf } from "./values.ts";

/** Every loop, with the numbers of arguments it takes. */
const argumentCounts = { all: [2], exists: [2], exists_one: [2], filter: [2], map: [2, 3] } as const;

export type LoopName = keyof typeof argumentCounts;

export const loopNames: readonly string[] = Object.keys(argumentCounts);

export function isLoop(name: string): name is LoopName {
  return Object.hasOwn(argumentCounts, name);
}

export function compileLoop(compiler: Compiler, node: MethodNode, name: LoopName, place: Place): Part {
  const [, receiver, args] = node.args;
  const over = compiler.value(receiver, place);
  const [variable, first, second] = args;
  const counts: readonly number[] = argumentCounts[name];
  if (!counts.includes(args.length) || variable?.op !== "id" || first === undefined) {
    compiler.report(
      "type",
      node,
      `\`${name}\` takes a name and ${counts.length === 1 ? "an expression" : "one or two expressions"}`,
      `write \`list.${name}(x, ...)\``,
    );
    return { type: unknown, run: over.run };
  }
  const { of, elementsMax } = elementsType(compiler, receiver, over.type);
  compiler.loop(node, place, elementsMax);
  const local: Local = { type: of, slot: place.depth };
  const inside: Place = {
    locals: new Map([...place.locals, [variable.args, local]]),
    depth: place.depth + 1,
    rounds: place.rounds * elementsMax,
  };
  const read = readerOf(of);
  const loop: Loop = {
    of,
    elements: (frame) => elementsOf(over.run(frame)),
    enter: (frame, element) => {
      frame.locals[local.slot] = read(element);
    },
    current: (frame) => frame.locals[local.slot],
  };
  const { type, run } = compileBody(compiler, name, loop, inside, first, second);
  return { type: type.kind === "list" ? { ...type, elementsMax } : type, run: located(compiler, node, run) };
}

interface Loop {
  readonly of: Type;
  elements(frame: Frame): readonly unknown[];
  /** Gives the loop's variable its value. */
  enter(frame: Frame, element: unknown): void;
  current(frame: Frame): unknown;
}

function elementsType(compiler: Compiler, node: Node, type: Type): { readonly of: Type; readonly elementsMax: number } {
  switch (type.kind) {
    case "list":
      return { of: type.of, elementsMax: type.elementsMax ?? listElementsMax };
    case "map":
      return { of: { kind: "string" }, elementsMax: listElementsMax };
    case "dyn":
      return { of: dyn, elementsMax: listElementsMax };
    default:
      if (type.kind !== "unknown") {
        compiler.report(
          "type",
          node,
          `\`${textOf(compiler, node)}\` is ${nameOf(type)}, not a list or map`,
          "loop over a list or the keys of a map",
        );
      }
      return { of: unknown, elementsMax: 0 };
  }
}

function compileBody(compiler: Compiler, name: LoopName, loop: Loop, place: Place, first: Node, second: Node | undefined): Part {
  switch (name) {
    case "all":
      return { type: bool, run: quantify(loop, compileCondition(compiler, first, place), false) };
    case "exists":
      return { type: bool, run: quantify(loop, compileCondition(compiler, first, place), true) };
    case "exists_one": {
      const collect = collector(loop, compileCondition(compiler, first, place), loop.current);
      return { type: bool, run: (frame) => collect(frame).length === 1 };
    }
    case "filter": {
      const collect = collector(loop, compileCondition(compiler, first, place), loop.current);
      return { type: { kind: "list", of: loop.of }, run: collect };
    }
    case "map": {
      const holds = second === undefined ? () => true : compileCondition(compiler, first, place);
      const { type, run } = compiler.value(second ?? first, place);
      return { type: { kind: "list", of: type }, run: collector(loop, holds, run) };
    }
  }
}

/** An error counts only when no element decides, as CEL wants it. */
function quantify(loop: Loop, holds: (frame: Frame) => boolean, decisive: boolean): Run {
  return (frame) => {
    let failure: { readonly error: unknown } | undefined;
    for (const element of loop.elements(frame)) {
      try {
        loop.enter(frame, element);
        if (holds(frame) === decisive) return decisive;
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return !decisive;
  };
}

function collector(loop: Loop, holds: (frame: Frame) => boolean, take: Run): (frame: Frame) => readonly unknown[] {
  return (frame) => {
    const taken: unknown[] = [];
    for (const element of loop.elements(frame)) {
      loop.enter(frame, element);
      if (holds(frame)) taken.push(take(frame));
    }
    return taken;
  };
}
