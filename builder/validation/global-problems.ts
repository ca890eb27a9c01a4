import { type Problem, problem } from "../../src/errors.ts";
import { child, type ModuleTree, type SyntaxNode, text } from "./module.ts";

interface Refusal {
  readonly why: string;
  readonly remedy: string;
}

const call: Refusal = {
  why: "calls go through the context, with a key for resilience, and tests replace them",
  remedy: "use `context.fetch`",
};
const clock: Refusal = {
  why: "it reads the machine's clock, and tests freeze the context's",
  remedy: "use `context.now()`; `new Date(context.now())` makes a date of it",
};
const timer = (instead: string): Refusal => ({ why: "a timer of the context ends with the instance, and tests drive it", remedy: instead });
const code: Refusal = { why: "code that is made from text cannot be checked", remedy: "write the code down" };
const commonJs: Refusal = { why: "policies are ES modules with static imports", remedy: "use `import` at the top of the module" };
const everything: Refusal = { why: "it hides which global is meant", remedy: "name what is meant" };

/** Globals that a policy must not use at all. */
const refused: Readonly<Record<string, Refusal>> = {
  fetch: call,
  WebSocket: call,
  EventSource: call,
  XMLHttpRequest: call,
  performance: clock,
  setTimeout: timer("use `context.after`"),
  setInterval: timer("use `context.every`"),
  setImmediate: timer("use `context.after`, or await a promise"),
  console: { why: "the engine's log has its own form and place", remedy: "use `context.log`" },
  process: { why: "what a policy does depends on its parameters alone", remedy: "make it a parameter" },
  eval: code,
  Function: code,
  require: commonJs,
  module: commonJs,
  exports: commonJs,
  globalThis: everything,
  global: everything,
  self: everything,
  window: everything,
};

/** Globals of which only a part is refused; a use that does not show which part is refused too. */
const partly: Readonly<Record<string, { readonly isFine: (use: Use) => boolean; readonly shown: string; readonly refusal: Refusal }>> = {
  Date: {
    isFine: ({ member, made }) => made === "with arguments" || member === "parse" || member === "UTC",
    shown: "Date",
    refusal: clock,
  },
  Math: {
    isFine: ({ member }) => member !== undefined && member !== "random",
    shown: "Math.random",
    refusal: { why: "tests fix what the context gives", remedy: "use `context.random()`" },
  },
  AbortSignal: {
    isFine: ({ member }) => member !== undefined && member !== "timeout",
    shown: "AbortSignal.timeout",
    refusal: timer("use `exchange.signal`, or an `AbortController` and `context.after`"),
  },
};

/** Uses of globals that the context stands for, however they are shadowed, renamed or wrapped in types. */
export function globalProblems(module: ModuleTree, where: (node: SyntaxNode) => Pick<Problem, "position" | "path">): readonly Problem[] {
  return module.globals.flatMap((node) => {
    const name = text(node, "name") ?? "";
    const parent = module.parentOf(node);
    // Asks what something is, and runs nothing.
    if (parent?.type === "BinaryExpression" && parent.operator === "instanceof" && child(parent, "right") === node) return [];
    const whole = Object.hasOwn(refused, name) ? refused[name] : undefined;
    if (whole !== undefined) return [problem("module-global", where(node), { name, ...whole })];
    const part = Object.hasOwn(partly, name) ? partly[name] : undefined;
    if (part === undefined || part.isFine(useOf(node, parent))) return [];
    return [problem("module-global", where(node), { name: part.shown, ...part.refusal })];
  });
}

interface Use {
  /** `now` of `Date.now`. */
  readonly member: string | undefined;
  readonly made: "with arguments" | "without" | undefined;
}

function useOf(node: SyntaxNode, parent: SyntaxNode | undefined): Use {
  const isMember = parent?.type === "MemberExpression" && child(parent, "object") === node && parent.computed === false;
  const isMade = parent?.type === "NewExpression" && child(parent, "callee") === node;
  const arguments_ = isMade && Array.isArray(parent.arguments) ? parent.arguments.length : 0;
  return {
    member: isMember ? text(child(parent, "property"), "name") : undefined,
    made: isMade ? (arguments_ > 0 ? "with arguments" : "without") : undefined,
  };
}
