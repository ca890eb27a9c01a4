import { Buffer } from "node:buffer";

/** Of each message: whether it is compressed, and its length (gRPC over HTTP/2, Length-Prefixed-Message), bytes. */
export const messagePrefixBytes = 5;

/** What is wrong with a message. */
export type MessageFault = "too-large" | "compressed" | "malformed";

/** Cuts the body of a gRPC request into messages, whatever pieces it comes in. */
export class MessageReader {
  readonly #messageBytesMax: number;
  /** What has been received and not been handed out is `#bytes[#at, #end)`. */
  #bytes: Buffer = nothing;
  #at = 0;
  #end = 0;
  /** Whether `#bytes` is our own. Else it is what the socket has read, and only good until `keep`. */
  #own = false;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** Bytes of memory that are kept for what has not been handed out. */
  get heldBytes(): number {
    return this.#own ? this.#bytes.length : 0;
  }

  get empty(): boolean {
    return this.#at === this.#end;
  }

  push(bytes: Buffer, start: number, end: number): void {
    if (this.#at === this.#end) {
      this.#bytes = bytes;
      this.#at = start;
      this.#end = end;
      this.#own = false;
      return;
    }
    const held = this.#end - this.#at;
    const needed = held + end - start;
    const fits = this.#own && this.#bytes.length - this.#end >= end - start;
    if (!fits) this.#move(held, Math.max(needed, this.#wantedBytes(needed)));
    bytes.copy(this.#bytes, this.#end, start, end);
    this.#end += end - start;
  }

  /** The next whole message, undefined when there is none. It may be kept. */
  next(): Buffer | MessageFault | undefined {
    if (this.#end - this.#at < messagePrefixBytes) return undefined;
    const compressed = this.#bytes[this.#at] ?? 0;
    if (compressed > 0) return compressed === 1 ? "compressed" : "malformed";
    const length = this.#bytes.readUInt32BE(this.#at + 1);
    if (length > this.#messageBytesMax) return "too-large";
    const start = this.#at + messagePrefixBytes;
    const end = start + length;
    if (end > this.#end) return undefined;
    this.#at = end;
    const message = this.#cut(start, end);
    if (this.#at === this.#end) this.drop();
    return message;
  }

  /** Keeps what is left beyond this read of the socket. */
  keep(): void {
    if (this.#own || this.#at === this.#end) return;
    const held = this.#end - this.#at;
    this.#move(held, this.#wantedBytes(held));
  }

  drop(): void {
    this.#bytes = nothing;
    this.#at = 0;
    this.#end = 0;
    this.#own = false;
  }

  /** A message that is most of the bytes it lies in is not copied; a small one must not hold all of them for as long as its exchange is open. */
  #cut(start: number, end: number): Buffer {
    if (this.#bytes.length <= 2 * (end - start) + 4096) return this.#bytes.subarray(start, end);
    const message = Buffer.allocUnsafe(end - start);
    this.#bytes.copy(message, 0, start, end);
    return message;
  }

  /** Room for the message at hand: all of it when it is small, else as it comes. Who announces much gets no memory for that. */
  #wantedBytes(needed: number): number {
    const held = this.#end - this.#at;
    if (held < messagePrefixBytes) return 64;
    const whole = messagePrefixBytes + this.#bytes.readUInt32BE(this.#at + 1);
    // Nobody reads at the moment: more comes behind it, in pieces for each of which all would be copied.
    if (held >= whole) return needed + Math.min(needed, eagerBytes);
    return Math.min(whole, Math.max(eagerBytes, 2 * needed));
  }

  #move(held: number, room: number): void {
    const own = Buffer.allocUnsafeSlow(Math.max(held, room));
    this.#bytes.copy(own, 0, this.#at, this.#end);
    this.#bytes = own;
    this.#at = 0;
    this.#end = held;
    this.#own = true;
  }
}

/** Messages up to this get their room at once, bytes. */
const eagerBytes = 16 * 1024;

const nothing: Buffer = Buffer.alloc(0);
