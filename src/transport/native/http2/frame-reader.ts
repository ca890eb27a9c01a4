import { Buffer } from "node:buffer";
import { ConnectionError, clientPreface, ErrorCode, frameHeaderBytes, framePayloadBytesMax } from "./protocol.ts";

/** One whole frame; its payload is `bytes[start, end)`, and it is good for as long as the call takes. */
export type FrameHandler = (type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number) => void;

/** Cuts what a client sends into frames. Holds at most one that is not complete. */
export class FrameReader {
  readonly #frame: FrameHandler;
  #preface = 0;
  /** The beginning of a frame whose end has not come. */
  #held: Buffer | undefined;
  #heldBytes = 0;

  constructor(frame: FrameHandler) {
    this.#frame = frame;
  }

  /** Whether the peer is in the middle of something. */
  get incomplete(): boolean {
    return this.#preface < clientPreface.length || this.#heldBytes > 0;
  }

  /** @throws ConnectionError for a wrong preface or a frame that is too large; what the handler throws */
  read(bytes: Buffer): void {
    let at = this.#readPreface(bytes);
    if (this.#heldBytes > 0) at = this.#readHeld(bytes, at);
    while (bytes.length - at >= frameHeaderBytes) {
      const end = at + frameHeaderBytes + payloadBytes(bytes, at);
      if (end > bytes.length) break;
      this.#deliver(bytes, at, end);
      at = end;
    }
    if (at < bytes.length) this.#hold(bytes, at);
  }

  #readPreface(bytes: Buffer): number {
    let at = 0;
    for (; at < bytes.length && this.#preface < clientPreface.length; at++) {
      if (bytes[at] !== clientPreface.charCodeAt(this.#preface++)) {
        throw new ConnectionError(ErrorCode.protocolError, "this is not HTTP/2");
      }
    }
    return at;
  }

  /** Goes on with the frame that is held. Returns where the rest starts. */
  #readHeld(bytes: Buffer, start: number): number {
    let at = start;
    let held = this.#held;
    if (held === undefined) return at;
    if (this.#heldBytes < frameHeaderBytes) {
      at = this.#take(held, bytes, at, frameHeaderBytes);
      if (this.#heldBytes < frameHeaderBytes) return at;
    }
    const frameBytes = frameHeaderBytes + payloadBytes(held, 0);
    if (held.length < frameBytes) {
      held = Buffer.allocUnsafe(frameBytes);
      this.#held?.copy(held, 0, 0, this.#heldBytes);
      this.#held = held;
    }
    at = this.#take(held, bytes, at, frameBytes);
    if (this.#heldBytes < frameBytes) return at;
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#deliver(held, 0, frameBytes);
    return at;
  }

  #take(held: Buffer, bytes: Buffer, at: number, untilBytes: number): number {
    const taken = Math.min(untilBytes - this.#heldBytes, bytes.length - at);
    bytes.copy(held, this.#heldBytes, at, at + taken);
    this.#heldBytes += taken;
    return at + taken;
  }

  #hold(bytes: Buffer, at: number): void {
    const known = bytes.length - at >= frameHeaderBytes ? payloadBytes(bytes, at) : 0;
    this.#held = Buffer.allocUnsafe(frameHeaderBytes + known);
    this.#heldBytes = bytes.copy(this.#held, 0, at);
  }

  #deliver(bytes: Buffer, at: number, end: number): void {
    const streamId =
      (((bytes[at + 5] ?? 0) & 0x7f) << 24) | ((bytes[at + 6] ?? 0) << 16) | ((bytes[at + 7] ?? 0) << 8) | (bytes[at + 8] ?? 0);
    this.#frame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, streamId, bytes, at + frameHeaderBytes, end);
  }
}

/** Known from the first three bytes of a frame, before its payload is read. */
function payloadBytes(bytes: Buffer, at: number): number {
  const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (length > framePayloadBytesMax) {
    throw new ConnectionError(ErrorCode.frameSizeError, `a frame of ${length} bytes; ${framePayloadBytesMax} are allowed`);
  }
  return length;
}
