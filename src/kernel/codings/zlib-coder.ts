import type { Transform } from "node:stream";
import type { Zlib } from "node:zlib";
import { type Coder, CodingError } from "./coder.ts";

/**
 * One of Node's compressors as a coder. They work on libuv's threads: a write costs 20 to 50 us even if it is small (measured), and a large one never
 * keeps the event loop from other exchanges. In the loop itself Node offers only whole bodies.
 */
export class ZlibCoder implements Coder {
  readonly #make: () => Compressor;
  /** Made for the first bytes: a body without any has no coding to undo, and gets none. */
  #zlib: Compressor | undefined;
  #givenBytes = 0;
  #failure: Error | undefined;
  #ended = false;
  #closed = false;
  #wake = (): void => {};

  constructor(make: () => Compressor) {
    this.#make = make;
  }

  async *write(bytes: Uint8Array): AsyncIterable<Uint8Array> {
    if (this.#closed) return;
    this.#zlib ??= this.#started();
    this.#givenBytes += bytes.length;
    let taken = false;
    this.#zlib.write(bytes, () => {
      taken = true;
      this.#wake();
    });
    yield* this.#pieces(this.#zlib, () => taken);
    // It leaves alone, without a word, what it does not take for its own.
    if (!this.#closed && this.#zlib.bytesWritten < this.#givenBytes)
      throw new CodingError("undecodable", "something follows the end of the coded body");
  }

  async *end(): AsyncIterable<Uint8Array> {
    if (this.#closed || this.#zlib === undefined) return;
    this.#zlib.end();
    yield* this.#pieces(this.#zlib, () => false);
  }

  close(): void {
    this.#closed = true;
    this.#zlib?.destroy();
    this.#wake();
  }

  /** Until nothing more comes of what was written. A read is what lets a full compressor go on. */
  async *#pieces(zlib: Compressor, taken: () => boolean): AsyncIterable<Uint8Array> {
    while (!this.#closed) {
      const piece: unknown = zlib.read();
      if (piece instanceof Uint8Array) {
        yield piece;
        continue;
      }
      if (this.#failure !== undefined) throw new CodingError("undecodable", this.#failure.message, { cause: this.#failure });
      if (this.#ended || taken()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #started(): Compressor {
    const zlib = this.#make();
    const wake = (): void => this.#wake();
    zlib.on("readable", wake);
    zlib.on("end", () => {
      this.#ended = true;
      wake();
    });
    zlib.on("error", (error) => {
      this.#failure = error;
      wake();
    });
    return zlib;
  }
}

type Compressor = Transform & Zlib;
