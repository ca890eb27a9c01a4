import { Buffer } from "node:buffer";
import { BlockMemory } from "./block-memory.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { fieldOverheadBytes, type HeaderField, headerField, headerFieldLike } from "./header-field.ts";
import type { HuffmanDecoder } from "./huffman-decoder.ts";
import { dynamicIndexMin } from "./static-table.ts";

/** A header block that cannot be decoded: the tables of both sides are no longer the same, so the connection is lost (RFC 9113 4.3). */
export class HpackError extends Error {
  override readonly name = "HpackError";
}

export interface HpackLimits {
  /** SETTINGS_HEADER_TABLE_SIZE, bytes. */
  readonly headerTableBytesMax: number;
  /** Of one decoded list, measured as RFC 9113 6.5.2 does, bytes. */
  readonly headerListBytesMax: number;
  /** Of one decoded list. */
  readonly headerCountMax: number;
}

/** What all decoders of a process share. */
export interface HpackTables {
  readonly staticTable: readonly (HeaderField | undefined)[];
  readonly huffman: HuffmanDecoder;
}

const noBytes: Buffer = Buffer.alloc(0);

/** The reading side of one connection (RFC 7541). */
export class HpackDecoder {
  readonly #tables: HpackTables;
  readonly #limits: HpackLimits;
  readonly #dynamic: DynamicTable;
  readonly #memory = new BlockMemory();
  #bytes = noBytes;
  #at = 0;
  #end = 0;
  #scratch = noBytes;
  /** Octets of the string that was read last. */
  #stringBytes = 0;

  constructor(tables: HpackTables, limits: HpackLimits) {
    this.#tables = tables;
    this.#limits = limits;
    this.#dynamic = new DynamicTable(limits.headerTableBytesMax);
  }

  /**
   * The fields of one whole block, or `too-large`. A block that was decoded before may give the same list again. A block that is too large is read to its end all the same, without keeping anything:
   * the table must stay the peer's.
   *
   * @throws HpackError
   */
  decode(bytes: Buffer, start: number, end: number): readonly HeaderField[] | "too-large" {
    const { version } = this.#dynamic;
    const known = this.#memory.find(bytes, start, end, version);
    if (known !== undefined) return known;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    const fields: HeaderField[] = [];
    let listBytes = 0;
    let tooLarge = false;
    this.#readSizeUpdates();
    while (this.#at < this.#end) {
      const field = this.#readField(tooLarge);
      if (field === undefined) continue;
      listBytes += field.bytes;
      tooLarge ||= listBytes > this.#limits.headerListBytesMax || fields.length === this.#limits.headerCountMax;
      if (!tooLarge) fields.push(field);
    }
    this.#bytes = noBytes;
    if (tooLarge) return "too-large";
    // Only what leaves the table as it is means the same again.
    if (this.#dynamic.version === version) this.#memory.keep(bytes, start, end, version, fields);
    return fields;
  }

  /** Undefined: one that nobody will look at. */
  #readField(skip: boolean): HeaderField | undefined {
    const first = this.#bytes[this.#at] ?? 0;
    if (first >= 0x80) return this.#lookUp(this.#readInteger(0x7f));
    if (first >= 0x40) {
      const field = this.#readLiteral(0x3f);
      this.#dynamic.add(field);
      return field;
    }
    if (first >= 0x20) throw new HpackError("a change of the table's size is not at the beginning of a block");
    if (!skip) return this.#readLiteral(0x0f);
    if (this.#readInteger(0x0f) === 0) this.#skipString();
    this.#skipString();
    return undefined;
  }

  #readSizeUpdates(): void {
    while (this.#at < this.#end && ((this.#bytes[this.#at] ?? 0) & 0xe0) === 0x20) {
      if (!this.#dynamic.resize(this.#readInteger(0x1f))) throw new HpackError("the table is made larger than it may be");
    }
  }

  #lookUp(index: number): HeaderField {
    const field = index < dynamicIndexMin ? this.#tables.staticTable[index] : this.#dynamic.get(index - dynamicIndexMin);
    if (field === undefined) throw new HpackError("an index points to no field");
    return field;
  }

  #readLiteral(prefixMask: number): HeaderField {
    const index = this.#readInteger(prefixMask);
    if (index > 0) {
      const named = this.#lookUp(index);
      const value = this.#readString("utf8");
      // A name is decoded octet by octet, so its length is theirs.
      return headerFieldLike(named, value, named.name.length + this.#stringBytes + fieldOverheadBytes);
    }
    const name = this.#readString("latin1");
    const value = this.#readString("utf8");
    return headerField(name, value, name.length + this.#stringBytes + fieldOverheadBytes);
  }

  /** RFC 7541 5.1. Four octets at most after the first: more than any length or index here can be. */
  #readInteger(prefixMask: number): number {
    let value = (this.#bytes[this.#at++] ?? 0) & prefixMask;
    if (value < prefixMask) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.#at >= this.#end) throw new HpackError("a block ends within an integer");
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError("an integer is too large");
  }

  #readString(encoding: "latin1" | "utf8"): string {
    const huffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    this.#skipString();
    const end = this.#at;
    const start = end - this.#stringBytes;
    if (!huffman) return this.#bytes.toString(encoding, start, end);
    const room = Math.ceil((this.#stringBytes * 8) / 5);
    if (this.#scratch.length < room) this.#scratch = Buffer.allocUnsafe(Math.max(256, room));
    this.#stringBytes = this.#tables.huffman.decode(this.#bytes, start, end, this.#scratch);
    if (this.#stringBytes < 0) throw new HpackError("a string is not coded as RFC 7541 says");
    return this.#scratch.toString(encoding, 0, this.#stringBytes);
  }

  /** Leaves the string's octets, as they are sent, before `#at`. */
  #skipString(): void {
    if (this.#at >= this.#end) throw new HpackError("a block ends before a string");
    this.#stringBytes = this.#readInteger(0x7f);
    this.#at += this.#stringBytes;
    if (this.#at > this.#end) throw new HpackError("a block ends within a string");
  }
}
