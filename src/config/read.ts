/**
 * Readers for the fixed parts of a document: each returns what it found or reports what is wrong and returns undefined, so that one run
 * finds everything.
 */
import { type Problem, problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import { describeNode, entryPlace, itemPlace, type Place } from "./node.ts";
import { durationText, parseDuration, parseSize, sizeText } from "./quantities.ts";

export type Report = (problem: Problem) => void;

/** The entries of a map whose keys are fixed. */
export interface Fields {
  /** Undefined when the key is not there. */
  optional(key: string): Place | undefined;
  /** Reports a key that is not there; `meaning` says what to write. */
  required(key: string, meaning: string): Place | undefined;
}

/** Opens a map with fixed keys; any other key is reported. */
export function readFields(place: Place, known: readonly string[], report: Report): Fields | undefined {
  const { node } = place;
  if (node.kind !== "map") {
    report(wrongType(place, "a map"));
    return undefined;
  }
  for (const [key, entry] of node.entries) {
    if (known.includes(key)) continue;
    const { keyPosition, path } = entryPlace(place, key, entry);
    report(problem("unknown-key", { position: keyPosition, path }, { key, suggestion: suggest(key, known), known }));
  }
  const optional = (key: string): Place | undefined => {
    const entry = node.entries.get(key);
    return entry === undefined ? undefined : entryPlace(place, key, entry);
  };
  return {
    optional,
    required: (key, meaning) => {
      const found = optional(key);
      if (found === undefined) report(problem("missing-key", { position: place.keyPosition, path: place.path }, { key, meaning }));
      return found;
    },
  };
}

/** Opens a map whose keys are the user's. Nothing written means no entries. */
export function readEntries(place: Place | undefined, report: Report): readonly (readonly [string, Place])[] {
  if (place === undefined || isNothing(place)) return [];
  const { node } = place;
  if (node.kind !== "map") {
    report(wrongType(place, "a map"));
    return [];
  }
  return [...node.entries].map(([key, entry]) => [key, entryPlace(place, key, entry)] as const);
}

/** Undefined when it is no list; an empty list is a list. */
export function readList(place: Place, report: Report): readonly Place[] | undefined {
  const { node } = place;
  if (node.kind === "list") return node.items.map((item, index) => itemPlace(place, index, item));
  report(wrongType(place, "a list"));
  return undefined;
}

/** Text that is not blank. */
export function readText(place: Place | undefined, report: Report): string | undefined {
  if (place === undefined) return undefined;
  const value = place.node.kind === "scalar" ? place.node.value : undefined;
  if (typeof value === "string" && value.trim() !== "") return value;
  report(wrongType(place, "text", typeof value === "string" ? "empty text" : undefined));
  return undefined;
}

export function readBoolean(place: Place | undefined, report: Report): boolean | undefined {
  if (place === undefined) return undefined;
  const value = place.node.kind === "scalar" ? place.node.value : undefined;
  if (typeof value === "boolean") return value;
  report(wrongType(place, "true or false"));
  return undefined;
}

export interface Bounds {
  /** What is bounded, for the message: `the timeout`. */
  readonly what: string;
  readonly min: number;
  readonly max: number;
  /** Where the bound comes from, when it is another value. */
  readonly because?: string | undefined;
}

export function readInteger(place: Place | undefined, bounds: Bounds, report: Report): number | undefined {
  if (place === undefined) return undefined;
  const value = place.node.kind === "scalar" ? place.node.value : undefined;
  if (typeof value === "number" && Number.isInteger(value)) return within(place, value, bounds, String, report);
  report(wrongType(place, "a whole number"));
  return undefined;
}

export function readNumber(place: Place | undefined, bounds: Bounds, report: Report): number | undefined {
  if (place === undefined) return undefined;
  const value = place.node.kind === "scalar" ? place.node.value : undefined;
  if (typeof value === "number" && Number.isFinite(value)) return within(place, value, bounds, String, report);
  report(wrongType(place, "a number"));
  return undefined;
}

/** Milliseconds. */
export function readDuration(place: Place | undefined, bounds: Bounds, report: Report): number | undefined {
  const text = readQuantity(place, { kind: "duration", examples: "`200ms`, `1s` or `5m`", parse: parseDuration }, report);
  return place === undefined || text === undefined ? undefined : within(place, text, bounds, durationText, report);
}

/** Bytes. */
export function readSize(place: Place | undefined, bounds: Bounds, report: Report): number | undefined {
  const bytes = readQuantity(place, { kind: "size", examples: "`100B`, `64KiB` or `10MiB`", parse: parseSize }, report);
  return place === undefined || bytes === undefined ? undefined : within(place, bytes, bounds, sizeText, report);
}

export function readChoice<Choice extends string>(
  place: Place | undefined,
  choices: readonly Choice[],
  report: Report,
): Choice | undefined {
  const text = readText(place, report);
  if (place === undefined || text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found === undefined) report(problem("invalid-choice", at(place), { found: text, choices, suggestion: suggest(text, choices) }));
  return found;
}

/** Leaves out what is only the echo of an earlier problem: a value that could not be read is not what its place takes either. */
export function withoutEchoes(earlier: readonly Problem[], report: Report): Report {
  const places = new Set(earlier.map(({ position }) => placeKey(position)));
  return (found) => {
    if (!places.has(placeKey(found.position))) report(found);
  };
}

function placeKey({ uri, line, column }: Problem["position"]): string {
  return `${line}:${column}:${uri}`;
}

/** `version: 1`, the first key of every document of ours. */
export function readFormatVersion(fields: Fields, report: Report): void {
  const place = fields.required("version", "the format of this document, `version: 1`");
  if (place === undefined) return;
  const value = place.node.kind === "scalar" ? place.node.value : undefined;
  if (value !== formatVersion) report(problem("wrong-version", at(place), { supported: formatVersion }));
}

const formatVersion = 1;

/** Where a problem with the value of a place stands. */
export function at(place: Place): { readonly position: Problem["position"]; readonly path: string } {
  return { position: place.node.position, path: place.path };
}

/** Where a problem with the key of a place stands. */
export function atKey(place: Place): { readonly position: Problem["position"]; readonly path: string } {
  return { position: place.keyPosition, path: place.path };
}

export function wrongType(place: Place, expected: string, found = describeNode(place.node)): Problem {
  return problem("wrong-type", at(place), { expected, found });
}

export function isNothing(place: Place): boolean {
  return place.node.kind === "scalar" && place.node.value === null;
}

interface QuantityKind {
  readonly kind: string;
  readonly examples: string;
  readonly parse: (text: string) => number | undefined;
}

function readQuantity(place: Place | undefined, { kind, examples, parse }: QuantityKind, report: Report): number | undefined {
  if (place === undefined) return undefined;
  const value = place.node.kind === "scalar" ? place.node.value : null;
  if (typeof value !== "string" && typeof value !== "number") {
    report(wrongType(place, `a ${kind}`));
    return undefined;
  }
  const quantity = parse(String(value));
  if (quantity === undefined) report(problem("invalid-quantity", at(place), { found: String(value), kind, examples }));
  return quantity;
}

function within(place: Place, value: number, bounds: Bounds, text: (value: number) => string, report: Report): number | undefined {
  const { what, min, max, because } = bounds;
  if (value >= min && value <= max) return value;
  const facts = { what: `${what} \`${text(value)}\``, min: text(min), max: text(max), because: value > max ? because : undefined };
  report(problem("out-of-range", at(place), facts));
  return undefined;
}
