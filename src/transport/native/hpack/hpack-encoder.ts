import { Buffer } from "node:buffer";
import { dynamicIndexMin } from "./static-table.ts";

/** A field that this server sends. */
export interface SentField {
  readonly name: string;
  readonly value: string;
  /**
   * `indexed`: the same object is sent again and again, and the peer keeps it. All of them together must fit into the table of 4096 octets that
   * a peer has unless it says otherwise.
   */
  readonly form: "indexed" | "literal";
}

/** `:status: 200`, the eighth of the static table. */
const status200 = 0x88;

/** What RFC 9113 6.5.2 starts with; a peer that has less gets literals only. */
const usualTableBytes = 4096;

/** The writing side of one connection (RFC 7541): a few constant fields by index, all else as literals, no Huffman. */
export class HpackEncoder {
  /** By field: the how manyth it is that the peer keeps. */
  readonly #kept = new Map<SentField, number>();
  #mode: "indexing" | "emptying-table" | "literals" = "indexing";

  /** What the peer's SETTINGS_HEADER_TABLE_SIZE says, bytes. */
  tableSizeAllowed(bytes: number): void {
    if (bytes >= usualTableBytes || this.#mode !== "indexing") return;
    this.#mode = "emptying-table";
    this.#kept.clear();
  }

  /** No block is longer than this, octets. */
  bytesMax(fields: readonly SentField[]): number {
    return fields.reduce((sum, { name, value }) => sum + 2 * lengthBytesMax + 1 + name.length + 3 * value.length, 1);
  }

  /** Writes the block from `at` on and returns where it ends. Blocks must reach the peer in the order in which they are written. */
  write(target: Buffer, start: number, fields: readonly SentField[]): number {
    let at = start;
    if (this.#mode === "emptying-table") {
      // RFC 7541 4.2: a smaller table is acknowledged first of all, and size 0 keeps us from counting.
      target[at++] = 0x20;
      this.#mode = "literals";
    }
    for (const field of fields) at = this.#writeField(target, at, field);
    return at;
  }

  #writeField(target: Buffer, at: number, field: SentField): number {
    if (field.name === ":status" && field.value === "200") {
      target[at] = status200;
      return at + 1;
    }
    const kept = this.#kept.get(field);
    if (kept !== undefined) return writeInteger(target, at, 0x80, 0x7f, dynamicIndexMin + this.#kept.size - 1 - kept);
    const keep = field.form === "indexed" && this.#mode === "indexing";
    if (keep) this.#kept.set(field, this.#kept.size);
    target[at] = keep ? 0x40 : 0x00;
    return writeString(target, writeString(target, at + 1, field.name), field.value);
  }
}

/** Octets of the longest length that is written. */
const lengthBytesMax = 5;

function writeString(target: Buffer, at: number, text: string): number {
  const bytes = Buffer.byteLength(text);
  const from = writeInteger(target, at, 0x00, 0x7f, bytes);
  return from + target.write(text, from, "utf8");
}

/** RFC 7541 5.1. */
function writeInteger(target: Buffer, start: number, pattern: number, prefixMask: number, value: number): number {
  let at = start;
  if (value < prefixMask) {
    target[at++] = pattern | value;
    return at;
  }
  target[at++] = pattern | prefixMask;
  let rest = value - prefixMask;
  for (; rest >= 0x80; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at++] = rest;
  return at;
}
