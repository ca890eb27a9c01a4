/** The walk over the tree: one part at a time, types and evaluation together, problems noted on the way. */
import { compileAccess } from "./access.ts";
import { listElementsMax, loopRoundsMax, nestingMax, patternsMax, problemsMax } from "./bounds.ts";
import { compileCall, compileMethod } from "./calls.ts";
import type { ExpressionProblem, Scope } from "./expression.ts";
import { compileList, compileLiteral, compileMap } from "./literals.ts";
import { compileBinary, compileIn, compileLogic, compileTernary, compileUnary } from "./operators.ts";
import { type Compiler, type Node, type Part, type Place, type Run, textOf } from "./part.ts";
import type { PatternEngine } from "./patterns.ts";
import { fallbackText, unknown } from "./types.ts";

export interface Walk {
  readonly compiler: Compiler;
  /** The paths of variables that were met. */
  readonly reads: ReadonlySet<string>;
}

/** Gets each part as it is compiled, with the variables that it reads; what it returns runs in its place. */
export type WatchPart = (node: Node, run: Run, reads: readonly string[]) => Run;

/** @param watch sees the parts that are no literals and are not inside of a loop */
export function startWalk(text: string, scope: Scope, patterns: PatternEngine, watch?: WatchPart): Walk {
  const problems: ExpressionProblem[] = [];
  const reads = new Set<string>();
  const met: string[] = [];
  let loopRounds = 0;
  let nesting = 0;
  let isTooDeep = false;
  let patternCount = 0;
  const compiler: Compiler = {
    text,
    scope,
    problems,
    pattern(source, range) {
      patternCount++;
      if (patternCount > patternsMax) {
        const remedy = "join some of them as in `a|b`, or split the expression";
        if (patternCount === patternsMax + 1)
          compiler.report("cost", range, `the expression has more than ${patternsMax} patterns`, remedy);
        return undefined;
      }
      const compiled = patterns.compile(source);
      if ("pattern" in compiled) return compiled.pattern;
      compiler.report("pattern", range, compiled.problem.message, compiled.problem.remedy);
      return undefined;
    },
    part(node, place) {
      if (nesting === nestingMax) {
        const message = `the expression is nested more than ${nestingMax} levels deep`;
        if (!isTooDeep) compiler.report("cost", node, message, "split it into several steps");
        isTooDeep = true;
        return { type: unknown, run: () => undefined };
      }
      nesting++;
      const metBefore = met.length;
      const part = compilePart(compiler, node, place);
      nesting--;
      if (watch === undefined || place.depth > 0 || part.literal !== undefined) return part;
      return { ...part, run: watch(node, part.run, met.slice(metBefore)) };
    },
    value: (node, place) => compiler.required(compiler.part(node, place), node),
    required(part, node) {
      if (part.type.kind !== "optional") return part;
      const written = textOf(compiler, node);
      const remedy = `write \`${written}.orValue(${fallbackText(part.type.of)})\``;
      compiler.report("type", node, `\`${written}\` is optional, and a value is needed here`, remedy);
      return { type: part.type.of, run: part.run };
    },
    report(code, { start, end }, message, remedy) {
      if (problems.length < problemsMax) problems.push({ code, message, remedy, start, end });
    },
    reads(path) {
      reads.add(path);
      met.push(path);
    },
    loop(node, place, elementsMax) {
      const before = loopRounds;
      loopRounds += place.rounds * elementsMax;
      if (before > loopRoundsMax || loopRounds <= loopRoundsMax) return;
      const inside = place.depth > 0 ? "a loop inside a loop over lists of unknown length" : "too many loops";
      const remedy = `a list of unknown length counts as ${listElementsMax} rounds and all loops together may take ${loopRoundsMax}: write out the inner list, or split the expression`;
      compiler.report("cost", node, inside, remedy);
    },
  };
  return { compiler, reads };
}

function compilePart(compiler: Compiler, node: Node, place: Place): Part {
  switch (node.op) {
    case "value":
      return compileLiteral(compiler, node, node.args);
    case "id":
    case ".":
    case ".?":
    case "[]":
    case "[?]":
      return compileAccess(compiler, node, place, { kind: "value" });
    case "call":
      return compileCall(compiler, node, place);
    case "rcall":
      return compileMethod(compiler, node, place);
    case "list":
      return compileList(compiler, node, place);
    case "map":
      return compileMap(compiler, node, place);
    case "?:":
      return compileTernary(compiler, node, place);
    case "&&":
    case "||":
      return compileLogic(compiler, node, place);
    case "!_":
    case "-_":
      return compileUnary(compiler, node, place);
    case "in":
      return compileIn(compiler, node, place);
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return compileBinary(compiler, node, place);
  }
}
