import type { Buffer } from "node:buffer";

/**
 * Reads fields of a protobuf message where they lie, without making objects of them (https://protobuf.dev/programming-guides/encoding).
 *
 * @throws RangeError, from every method, when the bytes end too early or are no protobuf
 */
export class ProtobufReader {
  readonly bytes: Buffer;
  /** Where the next byte is read. */
  at: number;
  /** Behind the last byte of the message. */
  readonly end: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get more(): boolean {
    return this.at < this.end;
  }

  /** The field's number times 8, and its wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag >>> 3 === 0) throw new RangeError("a protobuf field has the number 0");
    return tag;
  }

  /** An integer of up to 64 bits, of which the lower 32 are read, unsigned. */
  varint(): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80 && this.at < this.end) {
      this.at += 1;
      return first;
    }
    return this.#longVarint();
  }

  /** An integer, as long as it may be, of which only zero is false. */
  bool(): boolean {
    const from = this.at;
    this.varint();
    for (let at = from; at < this.at; at++) if (((this.bytes[at] ?? 0) & 0x7f) !== 0) return true;
    return false;
  }

  /** The length of a field with one: text, bytes or a message. What it says is there. */
  length(): number {
    const length = this.varint();
    if (length > this.end - this.at) throw new RangeError("a protobuf field is longer than its message");
    return length;
  }

  /** A message within this one. The place behind it is read next. */
  message(): ProtobufReader {
    const length = this.length();
    const from = this.at;
    this.at += length;
    return new ProtobufReader(this.bytes, from, this.at);
  }

  /** Not a copy. */
  slice(): Buffer {
    const length = this.length();
    const from = this.at;
    this.at += length;
    return this.bytes.subarray(from, this.at);
  }

  /** What is no valid UTF-8 in it becomes U+FFFD. */
  text(): string {
    const length = this.length();
    const from = this.at;
    this.at += length;
    return this.bytes.toString("utf8", from, this.at);
  }

  double(): number {
    this.#need(8);
    const value = this.bytes.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  /** Passes over the value of a field nobody reads. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.#pass(8);
        return;
      case 2:
        this.#pass(this.length());
        return;
      case 5:
        this.#pass(4);
        return;
      default:
        throw new RangeError(`a protobuf field has the wire type ${tag & 7}`);
    }
  }

  #longVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      this.#need(1);
      const byte = this.bytes[this.at] ?? 0;
      this.at += 1;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError("a protobuf integer has more than ten bytes");
  }

  #pass(bytes: number): void {
    this.#need(bytes);
    this.at += bytes;
  }

  #need(bytes: number): void {
    if (bytes > this.end - this.at) throw new RangeError("a protobuf message ends within a field");
  }
}
