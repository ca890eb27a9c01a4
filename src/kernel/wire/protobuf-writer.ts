import { Buffer } from "node:buffer";

/**
 * Writes one protobuf message from its end to its beginning: what a message within is long is known by the time its length is written, so nothing is
 * measured first and nothing copied (https://protobuf.dev/programming-guides/encoding).
 */
export class ProtobufWriter {
  readonly #buffer: Buffer;
  /** Where the first byte lies that has been written. */
  #at: number;

  /** @param bytesMax what the message may be long at most; a `RangeError` is thrown by whatever would be more */
  constructor(bytesMax: number) {
    this.#buffer = Buffer.allocUnsafe(bytesMax);
    this.#at = bytesMax;
  }

  /** What has been written so far: `message` makes a field of all that has been written since. */
  mark(): number {
    return this.#at;
  }

  /** A field of all that was written since the mark. */
  message(mark: number, tag: number): void {
    this.#varint(mark - this.#at);
    this.#varint(tag);
  }

  integer(tag: number, value: number): void {
    this.#varint(value);
    this.#varint(tag);
  }

  bytes(tag: number, bytes: Uint8Array): void {
    const mark = this.#at;
    this.#take(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.message(mark, tag);
  }

  text(tag: number, text: string): void {
    const mark = this.#at;
    if (!this.#ascii(text)) {
      this.#take(Buffer.byteLength(text));
      this.#buffer.write(text, this.#at);
    }
    this.message(mark, tag);
  }

  /** Writes a text of ASCII alone, as names are. False, with nothing written, when it is another. */
  #ascii(text: string): boolean {
    this.#take(text.length);
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.#at += text.length;
        return false;
      }
      this.#buffer[this.#at + index] = code;
    }
    return true;
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(this.#at);
  }

  /** @param value up to 32 bits, unsigned */
  #varint(value: number): void {
    let bytes = 1;
    for (let left = value >>> 7; left > 0; left >>>= 7) bytes += 1;
    this.#take(bytes);
    let left = value;
    for (let at = this.#at; at < this.#at + bytes - 1; at++) {
      this.#buffer[at] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.#buffer[this.#at + bytes - 1] = left;
  }

  #take(bytes: number): void {
    if (bytes > this.#at) throw new RangeError("a protobuf message is longer than was said");
    this.#at -= bytes;
  }
}

/** What a text is long at most in UTF-8, bytes. */
export const textBytesMax = (text: string): number => 3 * text.length;

/** What a field is longer than its bytes at most: its tag and its length. */
export const fieldHeadBytesMax = 7;
