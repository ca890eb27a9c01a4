/** A larger buffer is not kept once nothing is in it, bytes. */
const keptBytesMax = 64 * 1024;

/** Bytes that come piece by piece and are taken from the front. Cheap however small the pieces are. */
export class ByteQueue {
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  append(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** All of them, in place: not to be used any more once something is appended or dropped. */
  view(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  drop(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    if (this.#buffer.length > keptBytesMax) this.#buffer = Buffer.alloc(0);
  }

  /** Twice what is needed, so that a byte is moved a bounded number of times. */
  #makeRoom(count: number): void {
    const needed = (this.length + count) * 2;
    const target = needed <= this.#buffer.length ? this.#buffer : Buffer.allocUnsafeSlow(needed);
    this.#buffer.copy(target, 0, this.#start, this.#end);
    this.#buffer = target;
    this.#end = this.length;
    this.#start = 0;
  }
}
