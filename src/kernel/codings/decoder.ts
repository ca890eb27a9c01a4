import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { type Coder, CodingError, inSeries } from "./coder.ts";
import type { Coding } from "./coding.ts";
import { ZlibCoder } from "./zlib-coder.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** How much larger than its coded bytes a body may become: more is a bomb, not text. */
const ratioMax = 200;

/** What a body may become in any case, bytes: a few coded bytes can be a whole block of blanks. */
const ratioFreeBytes = 64 * 1024;

/**
 * The window of a zstd body, as a power of two: 8 MiB (RFC 9659 3). No other coding lets a body ask for more memory than 16 MiB.
 */
const zstdWindowLogMax = 23;

/**
 * Undoes the codings of one body, the last one first. A body that is cut off, is no such coding or is followed by something else fails; no bytes at all are
 * an empty body.
 *
 * @param codings in the order in which they were applied
 * @param decodedBytesMax what the body may become, after each coding; `Infinity` where only the ratio counts
 */
export function createDecoder(codings: readonly Coding[], decodedBytesMax: number): Coder {
  const coded = { bytes: 0 };
  const counted: Coder = {
    async *write(bytes) {
      coded.bytes += bytes.length;
      yield bytes;
    },
    async *end() {},
    close() {},
  };
  return inSeries([counted, ...codings.toReversed().map((coding) => bounded(decoderOf(coding), coded, decodedBytesMax))]);
}

function decoderOf(coding: Coding): Coder {
  switch (coding) {
    case "gzip":
      return new ZlibCoder(() => createGunzip());
    case "deflate":
      // The zlib format (RFC 9110 8.4.1.2). What some call deflate and send without it is refused: two readers may take it for two different bodies.
      return new ZlibCoder(() => createInflate());
    case "br":
      return new ZlibCoder(() => createBrotliDecompress());
    case "zstd":
      return zstdDecoder();
  }
}

function zstdDecoder(): Coder {
  const frames = new ZstdFrames();
  const zstd = new ZlibCoder(() => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMax } }));
  return {
    async *write(bytes) {
      for (const part of frames.split(bytes)) yield* zstd.write(part);
    },
    async *end() {
      if (!frames.complete) throw new CodingError("undecodable", "the last frame is cut off");
      yield* zstd.end();
    },
    close: () => zstd.close(),
  };
}

/** Counts what comes out before it is handed on, so that of a bomb only the first piece too many is ever there. */
function bounded(coder: Coder, coded: { readonly bytes: number }, decodedBytesMax: number): Coder {
  let decodedBytes = 0;
  async function* counted(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const piece of pieces) {
      decodedBytes += piece.length;
      if (decodedBytes > decodedBytesMax) throw new CodingError("too-large", `the body decodes to more than ${decodedBytesMax} bytes`);
      if (decodedBytes > Math.max(ratioFreeBytes, coded.bytes * ratioMax)) {
        throw new CodingError("too-large", `the body decodes to more than ${ratioMax} times its size`);
      }
      yield piece;
    }
  }
  return { write: (bytes) => counted(coder.write(bytes)), end: () => counted(coder.end()), close: () => coder.close() };
}
