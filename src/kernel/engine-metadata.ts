/**
 * What Envoy is told about an exchange: dynamic metadata in the engine's own namespace, for access logs and for filters that come later.
 *
 * Measured on Envoy 1.36.2: it takes dynamic metadata with every answer, to headers, bodies and trailers of both directions, and with a reply.
 * Within a namespace keys join those that came earlier, and the value of a key that comes again is replaced as a whole. Where the namespace is not
 * in the filter's `metadata_options.receiving_namespaces.untyped` it is dropped without a word.
 */
import type { MetadataPath } from "../config/metadata-paths.ts";

/** The largest that one value may be: bytes of its texts and names, and 8 for every other part. */
const valueBytesMax = 1024;
/** How deep lists and records may lie in each other. */
const depthMax = 8;

/** Where the shared metadata of an exchange is read. */
export interface MetadataSource {
  get(key: string): unknown;
}

/** What google.protobuf.Struct holds. */
export type StructValue = string | number | boolean | null | readonly StructValue[] | StructRecord;
export interface StructRecord {
  readonly [name: string]: StructValue;
}

/** The source is undefined where no chain has run. Never throws. */
export type EngineMetadata = (decisionId: string, source: MetadataSource | undefined) => StructRecord;

/**
 * Makes what tells it: `decision_id`; the values of the paths, nested as the paths say; in `left_out` the paths whose values are too large or no
 * data. What no step has written is not there.
 *
 * @param paths none leads to a part of another
 * @param redact removes secret values from a text
 */
export function createEngineMetadata(paths: readonly MetadataPath[], redact: (text: string) => string): EngineMetadata {
  const selection = selectionOf(paths.map(({ text, keys }) => ({ text, keys })));
  return (decisionId, source) => {
    const leftOut: string[] = [];
    const values = source === undefined ? {} : selected(selection, (key) => source.get(key), { redact, leftOut });
    return { decision_id: decisionId, ...values, ...(leftOut.length === 0 ? {} : { left_out: leftOut }) };
  };
}

/** By name: what is selected inside the value, or the text of the path that ends there. */
type Selection = ReadonlyMap<string, Selection | string>;

function selectionOf(paths: readonly { readonly text: string; readonly keys: readonly string[] }[]): Selection {
  const byFirst = Map.groupBy(paths, ({ keys: [first = ""] }) => first);
  return new Map(
    [...byFirst].map(([first, group]): readonly [string, Selection | string] => {
      const [only] = group;
      if (only?.keys.length === 1) return [first, only.text];
      return [first, selectionOf(group.map(({ text, keys }) => ({ text, keys: keys.slice(1) })))];
    }),
  );
}

interface Selecting {
  readonly redact: (text: string) => string;
  readonly leftOut: string[];
}

function selected(selection: Selection, read: (name: string) => unknown, selecting: Selecting): StructRecord {
  const values: (readonly [string, StructValue])[] = [];
  for (const [name, below] of selection) {
    const value = read(name);
    if (typeof below === "string") {
      const converted = value === undefined ? undefined : convertedOrLeftOut(value, below, selecting);
      if (converted !== undefined) values.push([name, converted]);
    } else if (isRecord(value)) {
      const inner = selected(below, (key) => ownValue(value, key), selecting);
      if (Object.keys(inner).length > 0) values.push([name, inner]);
    }
  }
  return Object.fromEntries(values);
}

function convertedOrLeftOut(value: unknown, path: string, { redact, leftOut }: Selecting): StructValue | undefined {
  try {
    return structValue(value, { redact, bytesLeft: valueBytesMax }, depthMax);
  } catch {
    leftOut.push(path);
    return undefined;
  }
}

interface Converting {
  readonly redact: (text: string) => string;
  bytesLeft: number;
}

/** Throws a `RangeError` when there is too much of it, a `TypeError` when it is no data. */
function structValue(value: unknown, converting: Converting, depthLeft: number): StructValue {
  if (depthLeft === 0) throw new RangeError("nested too deep");
  if (typeof value === "string") return textValue(value, converting);
  // As JSON of protobuf writes integers that a double cannot hold.
  if (typeof value === "bigint") return textValue(String(value), converting);
  spend(8, converting);
  if (value === null || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
  if (Array.isArray(value)) return value.map((item) => structValue(item, converting, depthLeft - 1));
  if (!isPlain(value)) throw new TypeError("no data");
  const parts: (readonly [string, StructValue])[] = [];
  for (const [name, part] of Object.entries(value)) {
    if (part !== undefined) parts.push([textValue(name, converting), structValue(part, converting, depthLeft - 1)]);
  }
  return Object.fromEntries(parts);
}

function textValue(text: string, converting: Converting): string {
  spend(Buffer.byteLength(text), converting);
  return converting.redact(text);
}

function spend(bytes: number, converting: Converting): void {
  converting.bytesLeft -= bytes;
  if (converting.bytesLeft < 0) throw new RangeError("too large");
}

const ownValue = (record: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(record, name) ? record[name] : undefined;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
