import { Buffer } from "node:buffer";

/** Copies share blocks of this size, bytes: an exchange that stays open for hours keeps no more than one. Node's own pool has blocks of 64 KiB. */
const blockBytes = 8 * 1024;

/** Copies of small messages that outlive what the socket has read. */
export class MessageCopies {
  #block = Buffer.allocUnsafeSlow(blockBytes);
  #at = 0;

  /** @returns `bytes[start, end)`, to be kept */
  copy(bytes: Buffer, start: number, end: number): Buffer {
    const length = end - start;
    if (length > blockBytes / 2) return Buffer.from(bytes.subarray(start, end));
    if (length > blockBytes - this.#at) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += length;
    bytes.copy(this.#block, from, start, end);
    return this.#block.subarray(from, this.#at);
  }
}
