/** A larger buffer is not kept for little that is in it, bytes. */
const keptBytesMax = 128 * 1024;

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
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
    // One large chunk must not make a long body expensive to its end. Moves no more than has just been dropped.
    if (this.#buffer.length > Math.max(keptBytesMax, this.length * 4)) this.#moveTo(Buffer.allocUnsafeSlow(this.length * 2));
  }

  /** At least twice what is held, so that a byte is moved a bounded number of times. */
  #makeRoom(count: number): void {
    const size = Math.max(this.length + count, this.length * 2);
    this.#moveTo(size <= this.#buffer.length ? this.#buffer : Buffer.allocUnsafeSlow(size));
  }

  #moveTo(target: Buffer): void {
    this.#buffer.copy(target, 0, this.#start, this.#end);
    this.#buffer = target;
    this.#end = this.length;
    this.#start = 0;
  }
}
