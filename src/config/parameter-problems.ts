/**
 * What the validator says against parameters, in words for people: positioned, with a remedy, and without the value, which may be a
 * secret.
 */
import { type Problem, problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import { describeValue, entryPlace, itemPlace, keyPath, type Place } from "./node.ts";
import { pointerKeys, pointerTo } from "./pointer.ts";
import { at, atKey } from "./read.ts";
import type { SchemaViolation } from "./schema-engine.ts";

/** One problem per fault: the echo of a fault in the branches of `oneOf` and the like is left out. */
export function parameterProblems(violations: readonly SchemaViolation[], root: Place): readonly Problem[] {
  const { faults, echoes } = separateEchoes(violations);
  const byPlace = Map.groupBy(faults, ({ instancePath }) => instancePath);
  const isOverruled = (fault: SchemaViolation): boolean =>
    byPlace.get(fault.instancePath)?.some((other) => overrules(other, fault)) === true;
  return faults.filter((fault) => !isOverruled(fault)).flatMap((fault) => toProblem(fault, echoes.get(fault) ?? [], root));
}

/** Which violations come only from the branches that a `oneOf` or `anyOf` has tried in vain; by the outermost of these. */
function separateEchoes(violations: readonly SchemaViolation[]): {
  readonly faults: readonly SchemaViolation[];
  readonly echoes: ReadonlyMap<SchemaViolation, readonly SchemaViolation[]>;
} {
  const choices = Map.groupBy(violations.filter(isChoice), ({ instancePath }) => instancePath);
  const sourceOf = (violation: SchemaViolation): SchemaViolation | undefined =>
    pathsTo(violation.instancePath)
      .flatMap((path) => choices.get(path) ?? [])
      .find(({ schemaPath }) => violation.schemaPath.startsWith(`${schemaPath}/`));
  const bySource = Map.groupBy(violations, sourceOf);
  const faults = bySource.get(undefined) ?? [];
  return { faults, echoes: new Map(faults.map((fault) => [fault, bySource.get(fault) ?? []])) };
}

/** Whether a violation says that no branch fits, or too many do. */
export function isChoice({ keyword }: SchemaViolation): boolean {
  return keyword === "oneOf" || keyword === "anyOf";
}

/** A pointer and all above it, the root first. */
function pathsTo(pointer: string): readonly string[] {
  return ["", ...pointerKeys(pointer).map((_, index) => pointer.split("/", index + 2).join("/"))];
}

/** Of two faults of one value: the wrong type says it all, and a missing tag is missing once. */
function overrules(one: SchemaViolation, other: SchemaViolation): boolean {
  if (one.keyword === "type") return other.keyword !== "type";
  return one.keyword === "discriminator" && other.keyword === "required" && other.params.missingProperty === one.params.tag;
}

/** The place a JSON Pointer leads to; where the document has no such place (a default), the nearest one above it. */
export function placeAt(root: Place, pointer: string): Place {
  let place = root;
  for (const key of pointerKeys(pointer)) {
    const child = childPlace(place, key);
    if (child === undefined) return { ...place, path: keyPath(place.path, key) };
    place = child;
  }
  return place;
}

function childPlace(place: Place, key: string): Place | undefined {
  if (place.node.kind === "list") {
    const item = place.node.items[Number(key)];
    return item === undefined ? undefined : itemPlace(place, Number(key), item);
  }
  const entry = place.node.kind === "map" ? place.node.entries.get(key) : undefined;
  return entry === undefined ? undefined : entryPlace(place, key, entry);
}

function toProblem(violation: SchemaViolation, echoes: readonly SchemaViolation[], root: Place): readonly Problem[] {
  const { keyword, params, data, parentSchema, instancePath, propertyName } = violation;
  const place = placeAt(root, instancePath);
  const description = textOf(parentSchema?.description);
  if (propertyName !== undefined) {
    const key = placeAt(place, pointerTo("", propertyName));
    return [
      problem("parameter-invalid", atKey(key), { detail: `has the key \`${propertyName}\`, which ${detailOf(violation)}`, description }),
    ];
  }
  switch (keyword) {
    // Their parts are reported on their own.
    case "propertyNames":
    case "if":
      return [];
    case "required":
    case "dependentRequired": {
      const parameter = String(params.missingProperty);
      return [problem("parameter-missing", atKey(place), { parameter, description: propertyDescription(parentSchema, parameter) })];
    }
    case "additionalProperties":
    case "unevaluatedProperties": {
      const parameter = String(params.additionalProperty ?? params.unevaluatedProperty);
      const known = Object.keys(objectOf(parentSchema?.properties));
      return [
        problem("parameter-unknown", atKey(placeAt(place, pointerTo("", parameter))), {
          parameter,
          suggestion: suggest(parameter, known),
          known,
        }),
      ];
    }
    case "type":
      return [problem("parameter-type", at(place), { expected: typeText(params.type), found: describeValue(data) })];
    case "enum":
      return [choiceProblem(place, listOf(params.allowedValues), data)];
    case "const":
      return [choiceProblem(place, [params.allowedValue], data)];
    case "discriminator":
      return [discriminatorProblem(place, violation)];
    case "oneOf":
    case "anyOf":
      return [alternativesProblem(place, violation, echoes)];
    default:
      return [problem("parameter-invalid", at(place), { detail: detailOf(violation), description })];
  }
}

function choiceProblem(place: Place, allowed: readonly unknown[], data: unknown): Problem {
  const choices = allowed.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  return problem("parameter-choice", at(place), { choices, suggestion: typeof data === "string" ? suggest(data, choices) : undefined });
}

/** The tag that chooses a branch is missing, or chooses none. */
function discriminatorProblem(place: Place, { params, parentSchema, data }: SchemaViolation): Problem {
  const tag = String(params.tag);
  const branches = listOf(parentSchema?.oneOf).map((branch) => objectOf(objectOf(objectOf(branch).properties)[tag]));
  const value = objectOf(data)[tag];
  const description = textOf(branches[0]?.description);
  if (value === undefined) return problem("parameter-missing", atKey(place), { parameter: tag, description });
  const choices = branches.flatMap((branch) => ("const" in branch ? [branch.const] : listOf(branch.enum)));
  return choiceProblem(placeAt(place, pointerTo("", tag)), choices, value);
}

function alternativesProblem(
  place: Place,
  { keyword, schema, instancePath }: SchemaViolation,
  echoes: readonly SchemaViolation[],
): Problem {
  const branches = listOf(schema).map(objectOf);
  if (branches.every((branch) => Object.keys(branch).join() === "required")) {
    const alternatives = branches.map((branch) => listOf(branch.required).map(String).join(" and "));
    return problem("parameter-alternatives", atKey(place), {
      quantity: keyword === "oneOf" ? "exactly one" : "at least one",
      alternatives,
    });
  }
  const [first] = echoes;
  if (first !== undefined && echoes.every((other) => other.keyword === "type" && other.instancePath === instancePath)) {
    const expected = echoes.map((other) => typeText(other.params.type)).join(" or ");
    return problem("parameter-type", at(place), { expected, found: describeValue(first.data) });
  }
  const description = branches.map((branch) => textOf(branch.description)).find((text) => text !== undefined);
  const detail = keyword === "oneOf" ? "does not fit exactly one of the forms it can have" : "fits none of the forms it can have";
  return problem("parameter-invalid", at(place), { detail, description });
}

/** What is wrong with a value, to follow "it" or "the value". */
export function detailOf({ keyword, params, schema, message }: SchemaViolation): string {
  const limit = String(params.limit);
  switch (keyword) {
    case "minimum":
      return `must be at least ${limit}`;
    case "maximum":
      return `must be at most ${limit}`;
    case "exclusiveMinimum":
      return `must be more than ${limit}`;
    case "exclusiveMaximum":
      return `must be less than ${limit}`;
    case "minLength":
      return limit === "1" ? "must not be empty" : `must have at least ${limit} characters`;
    case "maxLength":
      return `must have at most ${limit} characters`;
    case "minItems":
      return limit === "1" ? "must have at least one item" : `must have at least ${limit} items`;
    case "maxItems":
      return `must have at most ${limit} items`;
    case "minProperties":
      return limit === "1" ? "must have at least one entry" : `must have at least ${limit} entries`;
    case "maxProperties":
      return `must have at most ${limit} entries`;
    case "uniqueItems":
      return `must not have the same item twice: items ${String(params.j)} and ${String(params.i)}, counted from 0`;
    case "pattern":
      return `must match \`${String(params.pattern)}\``;
    case "enum":
      return `must be one of: ${listOf(params.allowedValues).map(String).join(", ")}`;
    case "type":
      return `must be ${typeText(params.type)}`;
    case "required":
      return `must have \`${String(params.missingProperty)}\``;
    case "additionalProperties":
      return `must not have \`${String(params.additionalProperty)}\``;
    case "not":
      return exclusionText(listOf(objectOf(schema).required).map((name) => `\`${String(name)}\``));
    default:
      return message ?? `breaks \`${keyword}\``;
  }
}

/** `not: { required: [a, b] }` */
function exclusionText(names: readonly string[]): string {
  if (names.length === 0) return "has a form that is excluded";
  return names.length === 1 ? `must not have ${names[0]}` : `must not have ${names.join(" together with ")}`;
}

function typeText(type: unknown): string {
  const words: Readonly<Record<string, string>> = {
    string: "text",
    integer: "a whole number",
    number: "a number",
    boolean: "true or false",
    array: "a list",
    object: "a map",
    null: "nothing",
  };
  return (Array.isArray(type) ? type : [type]).map((name) => words[String(name)] ?? String(name)).join(" or ");
}

function propertyDescription(schema: unknown, property: string): string | undefined {
  return textOf(objectOf(objectOf(objectOf(schema).properties)[property]).description);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
