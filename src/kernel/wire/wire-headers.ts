import type { Buffer } from "node:buffer";
import { decodeText, type HeaderEntry } from "../../worker/header-store.ts";
import type { ReceivedHeaders } from "../../worker/received-headers.ts";
import type { ProtobufReader } from "./protobuf-reader.ts";

/** Where a line's name and value lie: four numbers each, the begin and the end of both. */
const numbersPerLine = 4;

/** Room for most messages: an array that grows is copied each time. */
const usualLines = 24;

/** The header lines of one message within the bytes in which they came: an index of places. A line is read when somebody asks for it. */
export class WireHeaders implements ReceivedHeaders {
  readonly #bytes: Buffer;
  readonly #places: readonly number[];
  readonly #end: number;

  /** @param map reads a HeaderMap within the bytes; a line without a name is none */
  constructor(bytes: Buffer, map: ProtobufReader) {
    const places = new Array<number>(usualLines * numbersPerLine);
    this.#bytes = bytes;
    this.#places = places;
    this.#end = indexLines(map, places);
  }

  has(name: string): boolean {
    return this.#find(name, 0) !== -1;
  }

  values(name: string): readonly Uint8Array[] {
    const values: Uint8Array[] = [];
    for (let line = this.#find(name, 0); line !== -1; line = this.#find(name, line + numbersPerLine)) values.push(this.#value(line));
    return values;
  }

  texts(name: string): readonly string[] {
    const texts: string[] = [];
    for (let line = this.#find(name, 0); line !== -1; line = this.#find(name, line + numbersPerLine)) texts.push(this.#text(line + 2));
    return texts;
  }

  entries(): readonly HeaderEntry[] {
    const entries: HeaderEntry[] = [];
    for (let line = 0; line < this.#end; line += numbersPerLine) {
      entries.push({ name: this.#name(line), value: this.#value(line) });
    }
    return entries;
  }

  /** Where the next line of this name stands in the index; -1 when there is none. */
  #find(name: string, from: number): number {
    for (let line = from; line < this.#end; line += numbersPerLine) {
      const start = this.#places[line] ?? 0;
      if ((this.#places[line + 1] ?? 0) - start === name.length && this.#matches(start, name)) return line;
    }
    return -1;
  }

  /** A header's name is ASCII (RFC 9110 5.1 and 5.6.2): no name that somebody asks for equals one that is not. */
  #matches(start: number, name: string): boolean {
    for (let index = 0; index < name.length; index++) {
      const byte = this.#bytes[start + index] ?? 0;
      if (byte >= 0x80 || (isCapital(byte) ? byte | lowerCaseBit : byte) !== name.charCodeAt(index)) return false;
    }
    return true;
  }

  /** Only ASCII is lower-cased: U+212A, for one, would become an ASCII letter. */
  #name(line: number): string {
    return this.#text(line).replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
  }

  /** @param place where the index says where it begins; behind it, where it ends */
  #text(place: number): string {
    return decodeText(this.#bytes, this.#places[place], this.#places[place + 1]);
  }

  #value(line: number): Uint8Array {
    return this.#bytes.subarray(this.#places[line + 2], this.#places[line + 3]);
  }
}

const isCapital = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;
const lowerCaseBit = 0x20;

/** Of envoy.config.core.v3: HeaderMap.headers; HeaderValue.key, .value, .raw_value. */
const headersTag = 0x0a;
const lineTags = { key: 0x0a, value: 0x12, rawValue: 0x1a } as const;

/** Returns where the index of the lines ends. */
function indexLines(map: ProtobufReader, places: number[]): number {
  let count = 0;
  while (map.more) {
    const tag = map.tag();
    if (tag === headersTag) count = indexLine(map, places, count);
    else map.skip(tag);
  }
  return count;
}

/** Writes the places of a line from `count` on, and returns where the next ones go. */
function indexLine(map: ProtobufReader, places: number[], count: number): number {
  const end = map.length() + map.at;
  let nameStart = 0;
  let nameEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  let raw = false;
  while (map.at < end) {
    const tag = map.tag();
    if (tag !== lineTags.key && tag !== lineTags.value && tag !== lineTags.rawValue) {
      map.skip(tag);
      continue;
    }
    const length = map.length();
    const start = map.at;
    map.at += length;
    if (tag === lineTags.key) {
      nameStart = start;
      nameEnd = map.at;
    } else if (tag === lineTags.rawValue || !raw) {
      // Envoy fills `raw_value` only; other clients of the protocol fill `value`.
      raw = tag === lineTags.rawValue;
      valueStart = start;
      valueEnd = map.at;
    }
  }
  if (map.at !== end) throw new RangeError("a protobuf field ends behind its message");
  if (nameEnd === nameStart) return count;
  places[count] = nameStart;
  places[count + 1] = nameEnd;
  places[count + 2] = valueStart;
  places[count + 3] = valueEnd;
  return count + numbersPerLine;
}
