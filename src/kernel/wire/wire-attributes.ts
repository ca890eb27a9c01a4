import type { Buffer } from "node:buffer";
import { ProtobufReader } from "./protobuf-reader.ts";

export type AttributeValue = string | number | boolean;

/** Envoy's attributes of an exchange by name. A value that is no text, number or boolean is absent. */
export interface Attributes {
  get(name: string): AttributeValue | undefined;
  names(): readonly string[];
}

/** Envoy's constant for the only entry of the attributes, whatever the filter is called. */
const attributesEntry = "envoy.filters.http.ext_proc";

/** Of google.protobuf: Struct.fields; the key and the value of an entry of a map; Value.number_value, .string_value, .bool_value and the others. */
const fieldsTag = 0x0a;
const entryTags = { key: 0x0a, value: 0x12 } as const;
const valueTags = { null: 0x08, number: 0x11, string: 0x1a, bool: 0x20, struct: 0x2a, list: 0x32 } as const;

/** Four numbers for each: the begin and the end of its name and of its value. */
const numbersPerField = 4;

/** Attributes within the bytes in which they came: an index of places. One is read when somebody asks for it. */
class WireAttributes implements Attributes {
  readonly #bytes: Buffer;
  readonly #places: readonly number[];

  constructor(bytes: Buffer, places: readonly number[]) {
    this.#bytes = bytes;
    this.#places = places;
  }

  get(name: string): AttributeValue | undefined {
    // As in every map of protobuf the last one counts.
    for (let field = this.#places.length - numbersPerField; field >= 0; field -= numbersPerField) {
      if (!isText(this.#bytes, this.#place(field), this.#place(field + 1), name)) continue;
      return readValue(new ProtobufReader(this.#bytes, this.#place(field + 2), this.#place(field + 3)));
    }
    return undefined;
  }

  names(): readonly string[] {
    const names = new Set<string>();
    for (let field = 0; field < this.#places.length; field += numbersPerField) {
      names.add(textOf(this.#bytes, this.#place(field), this.#place(field + 1)));
    }
    return [...names];
  }

  #place(index: number): number {
    return this.#places[index] ?? 0;
  }
}

/**
 * Reads one entry of `ProcessingRequest.attributes`.
 *
 * @returns undefined where it is not Envoy's
 */
export function readAttributes(entry: ProtobufReader): Attributes | undefined {
  const places: number[] = [];
  indexEntry(entry, places);
  const [nameStart = 0, nameEnd = 0, structStart = 0, structEnd = 0] = places;
  // An entry called `__proto__` must not supply what is missing.
  if (!isText(entry.bytes, nameStart, nameEnd, attributesEntry)) return undefined;
  const struct = new ProtobufReader(entry.bytes, structStart, structEnd);
  const fields: number[] = [];
  while (struct.more) {
    const tag = struct.tag();
    if (tag === fieldsTag) indexEntry(struct.message(), fields);
    else struct.skip(tag);
  }
  return new WireAttributes(entry.bytes, fields);
}

/** Adds where name and value of one entry of a map lie. What is not there is empty. */
function indexEntry(entry: ProtobufReader, places: number[]): void {
  let [nameStart, nameEnd, valueStart, valueEnd] = [0, 0, 0, 0];
  while (entry.more) {
    const tag = entry.tag();
    if (tag !== entryTags.key && tag !== entryTags.value) {
      entry.skip(tag);
      continue;
    }
    const length = entry.length();
    const start = entry.at;
    entry.at += length;
    if (tag === entryTags.key) {
      nameStart = start;
      nameEnd = entry.at;
    } else {
      valueStart = start;
      valueEnd = entry.at;
    }
  }
  places.push(nameStart, nameEnd, valueStart, valueEnd);
}

/** Names are ASCII nearly always, and then no text has to be made of their bytes. */
function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const byte = start + index < end ? (bytes[start + index] ?? 0) : -1;
    if (byte >= 0x80) return textOf(bytes, start, end) === text;
    if (byte !== text.charCodeAt(index)) return false;
  }
  return end - start === text.length;
}

/** What is no valid UTF-8 in it becomes U+FFFD. */
function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("utf8", start, end);
}

function readValue(reader: ProtobufReader): AttributeValue | undefined {
  let value: AttributeValue | undefined;
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case valueTags.string:
        value = reader.text();
        break;
      case valueTags.number:
        value = reader.double();
        break;
      case valueTags.bool:
        value = reader.bool();
        break;
      case valueTags.null:
      case valueTags.struct:
      case valueTags.list:
        value = undefined;
        reader.skip(tag);
        break;
      default:
        reader.skip(tag);
    }
  }
  return value;
}
