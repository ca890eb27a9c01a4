import { Buffer } from "node:buffer";
import { HpackEncoder, type SentField } from "../hpack/hpack-encoder.ts";
import { type ErrorCode, Flag, FrameType, frameHeaderBytes, framePayloadBytesMax, initialWindowBytes, type Setting } from "./protocol.ts";

/** Frames are gathered in blocks of this size, bytes. What has been handed over is never written again. */
const slabBytes = 64 * 1024;

/** The frames of one connection that have not been handed to its socket. */
export class Output {
  readonly hpack = new HpackEncoder();
  /** What the peer takes of all streams together, bytes. */
  window = initialWindowBytes;
  /** What it takes of a stream when it opens, bytes. */
  streamWindow = initialWindowBytes;
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #start = 0;
  #end = 0;
  #full: Buffer[] = [];
  #fullBytes = 0;
  readonly #written: () => void;

  /** @param written called at the first frame since the last `take` */
  constructor(written: () => void) {
    this.#written = written;
  }

  /** Bytes that `take` would return. */
  get bytes(): number {
    return this.#fullBytes + this.#end - this.#start;
  }

  /** What has been gathered, in order; it belongs to the caller. */
  take(): readonly Buffer[] {
    const taken = this.#full;
    if (this.#end > this.#start) taken.push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
    this.#full = [];
    this.#fullBytes = 0;
    return taken;
  }

  /** A DATA frame of `head` and then `body[from, to)`: at most `framePayloadBytesMax` together. */
  data(streamId: number, flags: number, head: Uint8Array, body: Uint8Array, from: number, to: number): void {
    const length = head.length + to - from;
    const at = this.#frame(FrameType.data, flags, streamId, length);
    this.#slab.set(head, at);
    this.#slab.set(from === 0 && to === body.length ? body : body.subarray(from, to), at + head.length);
  }

  /** A HEADERS frame; `fields` must fit into one. */
  headers(streamId: number, flags: number, fields: readonly SentField[]): void {
    this.#reserve(frameHeaderBytes + this.hpack.bytesMax(fields));
    const at = this.#end;
    const end = this.hpack.write(this.#slab, at + frameHeaderBytes, fields);
    const length = end - at - frameHeaderBytes;
    if (length > framePayloadBytesMax) throw new RangeError(`a header block of ${length} bytes does not fit into one frame`);
    this.#writeFrameHeader(at, FrameType.headers, flags | Flag.endHeaders, streamId, length);
    this.#end = end;
  }

  settings(values: readonly (readonly [(typeof Setting)[keyof typeof Setting], number])[]): void {
    let at = this.#frame(FrameType.settings, 0, 0, values.length * 6);
    for (const [id, value] of values) {
      at = this.#slab.writeUInt16BE(id, at);
      at = this.#slab.writeUInt32BE(value, at);
    }
  }

  settingsAck(): void {
    this.#frame(FrameType.settings, Flag.ack, 0, 0);
  }

  /** @param opaque the eight bytes that come back with the answer */
  ping(flags: number, opaque: Uint8Array): void {
    this.#slab.set(opaque, this.#frame(FrameType.ping, flags, 0, opaque.length));
  }

  reset(streamId: number, code: ErrorCode): void {
    this.#slab.writeUInt32BE(code, this.#frame(FrameType.rstStream, 0, streamId, 4));
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#slab.writeUInt32BE(increment, this.#frame(FrameType.windowUpdate, 0, streamId, 4));
  }

  goaway(lastStreamId: number, code: ErrorCode, text: string): void {
    const debug = Buffer.from(text);
    let at = this.#frame(FrameType.goaway, 0, 0, 8 + debug.length);
    at = this.#slab.writeUInt32BE(lastStreamId, at);
    at = this.#slab.writeUInt32BE(code, at);
    this.#slab.set(debug, at);
  }

  /** Where the payload of a new frame is to be written. */
  #frame(type: number, flags: number, streamId: number, length: number): number {
    this.#reserve(frameHeaderBytes + length);
    const at = this.#end;
    this.#writeFrameHeader(at, type, flags, streamId, length);
    this.#end = at + frameHeaderBytes + length;
    return at + frameHeaderBytes;
  }

  #writeFrameHeader(at: number, type: number, flags: number, streamId: number, length: number): void {
    const slab = this.#slab;
    slab[at] = length >>> 16;
    slab[at + 1] = (length >>> 8) & 0xff;
    slab[at + 2] = length & 0xff;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab[at + 5] = streamId >>> 24;
    slab[at + 6] = (streamId >>> 16) & 0xff;
    slab[at + 7] = (streamId >>> 8) & 0xff;
    slab[at + 8] = streamId & 0xff;
  }

  #reserve(bytes: number): void {
    if (this.#start === this.#end && this.#fullBytes === 0) this.#written();
    if (this.#slab.length - this.#end >= bytes) return;
    if (this.#end > this.#start) {
      this.#full.push(this.#slab.subarray(this.#start, this.#end));
      this.#fullBytes += this.#end - this.#start;
    }
    this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
    this.#start = 0;
    this.#end = 0;
  }
}
