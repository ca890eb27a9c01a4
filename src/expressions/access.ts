/**
 * Reading variables and their parts: `a.b`, `a.?b`, `a["b"]`, `a[?"b"]`, `has(a.b)` and the map in `"b" in a`.
 *
 * A whole chain is compiled at once, because the remedy for a part that may be missing concerns all of it: after the first optional step
 * every later one is optional too, and one `orValue` at the end supplies the value.
 */
import { suggest } from "../suggest.ts";
import { problemsMax } from "./bounds.ts";
import type { Field } from "./expression.ts";
import { Fault } from "./fault.ts";
import {
  type Compiler,
  type Frame,
  located,
  type Node,
  type Part,
  type Place,
  type Range,
  type Run,
  textOf,
  withOpeningParentheses,
} from "./part.ts";
import { readerOf } from "./readers.ts";
import { dyn, fallbackText, type ListType, type MapType, mayBe, nameOf, type RecordType, type Type, unknown } from "./types.ts";
import { entryOf, isObject } from "./values.ts";

/** What a chain is for: its value, whether its last step leads anywhere, or whether a key is in it (`key` when that is a literal). */
export type Use = { readonly kind: "value" | "presence" } | { readonly kind: "membership"; readonly key: LiteralKey | undefined };

export interface LiteralKey {
  readonly name: string;
  readonly range: Range;
}

type AccessNode = Extract<Node, { readonly op: "." | ".?" | "[]" | "[?]" }>;

interface Step {
  readonly node: AccessNode;
  /** The name or the literal key; undefined when the key is computed. */
  readonly name: string | undefined;
  readonly nameRange: Range;
  /** The key of an index; undefined for a select. */
  readonly key: Node | undefined;
  readonly optional: boolean;
}

/** How far a chain has come. */
interface Reached {
  readonly type: Type;
  readonly run: Run;
  /** Variable and literal keys, undefined once the chain has left them. */
  readonly path: string | undefined;
  /** Whether `run` yields undefined when nothing is there. */
  readonly optional: boolean;
}

/** Reads a part of a container; undefined when it is missing. */
type Get = (container: unknown, frame: Frame) => unknown;

interface Chain {
  readonly compiler: Compiler;
  readonly place: Place;
  readonly node: Node;
  readonly base: Node;
  readonly steps: readonly Step[];
  /** Steps that must become optional. */
  readonly missing: Set<Step>;
  /** Steps whose key must be written in lower case. */
  readonly upperCase: Set<Step>;
}

export function compileAccess(compiler: Compiler, node: Node, place: Place, use: Use): Part {
  const chain: Chain = { compiler, place, node, ...flatten(node, use), missing: new Set(), upperCase: new Set() };
  let reached = startOf(chain);
  for (const step of chain.steps) {
    const next = follow(chain, reached, step);
    if (next === undefined) return { type: unknown, run: reached.run };
    reached = next;
  }
  finish(chain, reached, use);
  if (chain.missing.size > 0) {
    reportMissing(chain, reached.type, use);
    return { type: unknown, run: reached.run };
  }
  const { type, optional, run } = reached;
  return { type: optional ? { kind: "optional", of: type } : type, run: located(compiler, node, run) };
}

/** More names than these are no help in a message. */
const namesListedMax = 12;

/** Reports a name that does not exist, with the one that was probably meant. */
export function reportUnknownName(compiler: Compiler, range: Range, message: string, name: string, known: readonly string[]): void {
  if (compiler.problems.length === problemsMax) return;
  const suggestion = suggest(name, known);
  const otherwise = known.length === 0 || known.length > namesListedMax ? "remove it" : `use one of: ${known.join(", ")}`;
  compiler.report("unknown-name", range, message, suggestion === undefined ? otherwise : `did you mean \`${suggestion}\`?`);
}

function flatten(node: Node, use: Use): { readonly base: Node; readonly steps: readonly Step[] } {
  const steps: Step[] = [];
  let base = node;
  while (base.op === "." || base.op === ".?" || base.op === "[]" || base.op === "[?]") {
    const step = stepOf(base);
    steps.unshift(use.kind === "presence" && base === node ? { ...step, optional: true } : step);
    base = base.args[0];
  }
  return { base, steps };
}

function stepOf(node: AccessNode): Step {
  switch (node.op) {
    case ".":
    case ".?":
      return {
        node,
        name: node.args[1],
        nameRange: { start: node.pos, end: node.end },
        key: undefined,
        optional: node.op === ".?",
      };
    case "[]":
    case "[?]": {
      const key = node.args[1];
      const name = key.op === "value" && typeof key.args === "string" ? key.args : undefined;
      return { node, name, nameRange: key, key, optional: node.op === "[?]" };
    }
  }
}

function startOf({ compiler, place, base }: Chain): Reached {
  if (base.op !== "id") {
    const { type, run } = compiler.part(base, place);
    return type.kind === "optional"
      ? { type: type.of, run, path: undefined, optional: true }
      : { type, run, path: undefined, optional: false };
  }
  const name = base.args;
  const local = place.locals.get(name);
  if (local !== undefined) return { type: local.type, run: ({ locals }) => locals[local.slot], path: undefined, optional: false };
  const variable = Object.hasOwn(compiler.scope, name) ? compiler.scope[name] : undefined;
  if (variable === undefined) {
    reportUnknownName(compiler, base, `unknown variable \`${name}\``, name, [...place.locals.keys(), ...Object.keys(compiler.scope)]);
  }
  if (variable === undefined || !isAvailable(compiler, base, variable)) {
    return { type: unknown, run: () => undefined, path: undefined, optional: false };
  }
  const read = readerOf(variable.type);
  const get = fieldGetter(name);
  return { type: variable.type, run: (frame) => present(read(get(frame.variables, frame))), path: name, optional: false };
}

/** Goes one step further; undefined when a problem leaves nothing to go on from. */
function follow(chain: Chain, reached: Reached, step: Step): Reached | undefined {
  switch (reached.type.kind) {
    case "record":
      return followField(chain, reached, reached.type, step);
    case "map":
      return followEntry(chain, reached, reached.type, step);
    case "list":
      return followElement(chain, reached, reached.type, step);
    case "dyn":
      return followDyn(chain, reached, step);
    case "unknown":
      if (step.key !== undefined) chain.compiler.value(step.key, chain.place);
      return reached;
    default: {
      const whole = textUpTo(chain, step);
      chain.compiler.report(
        "type",
        step.node,
        `\`${whole}\` is of type ${nameOf(reached.type)}, which has no parts`,
        `use \`${whole}\` itself`,
      );
      return undefined;
    }
  }
}

function followField(chain: Chain, reached: Reached, { fields }: RecordType, step: Step): Reached | undefined {
  const { compiler } = chain;
  const { name, nameRange } = step;
  const whole = textUpTo(chain, step);
  if (name === undefined) {
    compiler.report("type", nameRange, `a field of \`${whole}\` must be named, not computed`, `write \`${whole}.field\``);
    return undefined;
  }
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined) {
    reportUnknownName(compiler, nameRange, `\`${whole}\` has no field \`${name}\``, name, Object.keys(fields));
    return undefined;
  }
  if (!isAvailable(compiler, step.node, field)) return undefined;
  if (field.optional === true) noteMissing(chain, reached, step);
  return take(reached, step, field.type, fieldGetter(name), name);
}

function isAvailable(compiler: Compiler, range: Range, field: Field): boolean {
  if (field.unavailable === undefined) return true;
  compiler.report("unavailable", range, field.unavailable, `take \`${textOf(compiler, range)}\` out of this expression`);
  return false;
}

function followEntry(chain: Chain, reached: Reached, map: MapType, step: Step): Reached {
  const { compiler, place } = chain;
  const { name, key, nameRange } = step;
  if (name !== undefined) {
    noteMissing(chain, reached, step);
    if (hasWrongCase(map, name)) {
      chain.upperCase.add(step);
      reportCase(compiler, name, nameRange, key !== undefined);
    }
    return take(reached, step, map.of, (container) => entryOf(container, name), name);
  }
  if (map.constantKeysOnly === true) reportComputedKey(chain, step.node, textUpTo(chain, step));
  else noteMissing(chain, reached, step);
  if (reached.path !== undefined) compiler.reads(reached.path);
  const computed = key === undefined ? undefined : keyOf(compiler, key, place, "string");
  return take(reached, step, map.of, (container, frame) => entryOf(container, textKey(computed?.run(frame))), undefined);
}

function hasWrongCase(map: MapType, key: string): boolean {
  return map.lowerCaseKeys === true && /[A-Z]/.test(key);
}

function reportCase(compiler: Compiler, key: string, range: Range, isQuoted: boolean): void {
  const lower = key.toLowerCase();
  compiler.report(
    "upper-case-key",
    range,
    `\`${key}\` is never found: the keys are lower-case`,
    `write \`${isQuoted ? JSON.stringify(lower) : lower}\``,
  );
}

function reportComputedKey({ compiler }: Chain, range: Range, map: string): void {
  compiler.report(
    "cost",
    range,
    `only single entries of \`${map}\` can be read, each by a literal key`,
    `write the key out, as in \`${map}[?"key"].orValue("")\``,
  );
}

function followElement(chain: Chain, reached: Reached, { of }: ListType, step: Step): Reached | undefined {
  const { compiler, place } = chain;
  const whole = textUpTo(chain, step);
  if (step.key === undefined) {
    compiler.report(
      "type",
      step.nameRange,
      `\`${whole}\` is a list and has no field \`${step.name}\``,
      `index it with a number, as in \`${whole}[?0]\``,
    );
    return undefined;
  }
  noteMissing(chain, reached, step);
  if (reached.path !== undefined) compiler.reads(reached.path);
  const index = keyOf(compiler, step.key, place, "int");
  return take(reached, step, of, (list, frame) => elementAt(list, index.run(frame)), undefined);
}

/** JSON and the like: whatever does not lead on is missing. */
function followDyn(chain: Chain, reached: Reached, step: Step): Reached {
  const { compiler, place } = chain;
  const { name, key } = step;
  noteMissing(chain, reached, step);
  if (name !== undefined) return take(reached, step, dyn, (container) => partAt(container, name), name);
  if (reached.path !== undefined) compiler.reads(reached.path);
  const computed = key === undefined ? undefined : keyOf(compiler, key, place, "string", "int");
  return take(reached, step, dyn, (container, frame) => partAt(container, computed?.run(frame)), undefined);
}

function keyOf(compiler: Compiler, node: Node, place: Place, ...kinds: readonly ("string" | "int")[]): Part {
  const key = compiler.value(node, place);
  if (!mayBe(key.type, kinds)) {
    compiler.report(
      "type",
      node,
      `the key is of type ${nameOf(key.type)}, not ${kinds.join(" or ")}`,
      `use a key of type ${kinds.join(" or ")}`,
    );
  }
  return key;
}

function take(reached: Reached, step: Step, type: Type, get: Get, name: string | undefined): Reached {
  const { run } = reached;
  const read = readerOf(type);
  const path = reached.path === undefined || name === undefined ? undefined : `${reached.path}.${name}`;
  if (!reached.optional && !step.optional) return { type, path, optional: false, run: (frame) => present(read(get(run(frame), frame))) };
  return {
    type,
    path,
    optional: true,
    run: (frame) => {
      const container = run(frame);
      return container === undefined ? undefined : read(get(container, frame));
    },
  };
}

function noteMissing({ missing }: Chain, reached: Reached, step: Step): void {
  if (!reached.optional && !step.optional) missing.add(step);
}

function finish(chain: Chain, { type, path }: Reached, use: Use): void {
  const { compiler, node } = chain;
  if (type.kind === "map" && use.kind === "membership" && use.key !== undefined) {
    const { name, range } = use.key;
    if (hasWrongCase(type, name)) reportCase(compiler, name, range, true);
    if (path !== undefined) compiler.reads(`${path}.${name}`);
    return;
  }
  if (type.kind === "map" && type.constantKeysOnly === true) reportComputedKey(chain, node, textOf(compiler, node));
  if (path !== undefined) compiler.reads(path);
}

function reportMissing(chain: Chain, type: Type, use: Use): void {
  const { compiler, node, base, steps, missing } = chain;
  const [first] = missing;
  if (first === undefined) return;
  const optional = [withOpeningParentheses(compiler.text, base), ...steps.map((step) => optionalText(chain, step, use))].join("");
  compiler.report("may-be-missing", first.node, `\`${textOf(compiler, first.node)}\` may be missing`, remedy());

  function remedy(): string {
    if (use.kind === "presence") return `write \`has(${optional})\``;
    if (type.kind === "record") return `write \`${optional}\` and go on to one of its fields, or ask \`has(${textOf(compiler, node)})\``;
    return `write \`${optional}.orValue(${fallbackText(type)})\``;
  }
}

/** A step as it should be written. */
function optionalText({ compiler, node, missing, upperCase }: Chain, step: Step, use: Use): string {
  const isAsked = use.kind === "presence" && step.node === node;
  const mark = missing.has(step) || (step.optional && !isAsked) ? "?" : "";
  const key = step.key === undefined ? step.name : indexText(compiler.text, step.node);
  const written = upperCase.has(step) ? key?.toLowerCase() : key;
  return step.key === undefined ? `.${mark}${written}` : `[${mark}${written}]`;
}

/** What stands between the brackets. The key's own range may lack its opening parentheses. */
function indexText(text: string, node: AccessNode): string {
  const bracket = text.indexOf("[", node.args[0].end);
  return text
    .slice(bracket + 1, node.end - 1)
    .replace(/^\s*\?/, "")
    .trim();
}

/** The user's text of the chain before a step. */
function textUpTo({ compiler }: Chain, step: Step): string {
  return textOf(compiler, step.node.args[0]);
}

/** A field of a record: a property, own or inherited from its class, or an entry when the record is a Map. */
function fieldGetter(name: string): Get {
  // A field with the name of something that every object inherits must be the object's own.
  const isShadowed = name in Object.prototype;
  return (container) => {
    if (container instanceof Map) return container.get(name);
    if (!isObject(container)) throw new Fault("the value is no record");
    return isShadowed && !Object.hasOwn(container, name) ? undefined : container[name];
  };
}

function partAt(container: unknown, key: unknown): unknown {
  if (Array.isArray(container)) return elementAt(container, key);
  return typeof key === "string" && isObject(container) ? entryOf(container, key) : undefined;
}

function elementAt(list: unknown, index: unknown): unknown {
  return Array.isArray(list) && (typeof index === "bigint" || typeof index === "number") ? list[Number(index)] : undefined;
}

function textKey(key: unknown): string {
  if (typeof key === "string") return key;
  throw new Fault("the key is no string");
}

function present(value: unknown): unknown {
  if (value === undefined) throw new Fault("nothing is there");
  return value;
}
