import { ConnectionError, ErrorCode } from "./protocol.ts";

/** A header block whose end has not come: HEADERS without END_HEADERS, and its CONTINUATION frames (RFC 9113 6.10). */
export class HeaderBlock {
  readonly streamId: number;
  readonly flags: number;
  readonly #bytesMax: number;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  /** @param bytesMax of the whole block; what is larger ends the connection, for it cannot be skipped */
  constructor(streamId: number, flags: number, bytesMax: number) {
    this.streamId = streamId;
    this.flags = flags;
    this.#bytesMax = bytesMax;
  }

  /** @throws ConnectionError when the block becomes too large */
  add(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > this.#bytesMax) throw new ConnectionError(ErrorCode.enhanceYourCalm, "a header block is too large");
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
  }

  whole(): Buffer {
    return Buffer.concat(this.#pieces, this.#bytes);
  }
}
