import { constants, createBrotliCompress, createDeflate, createGzip, createZstdCompress } from "node:zlib";
import { type Coder, inSeries } from "./coder.ts";
import type { Coding } from "./coding.ts";
import { ZlibCoder } from "./zlib-coder.ts";

/** Windows of the codings that would take several MiB for each body by themselves, as a power of two: 512 KiB. */
const windowLog = 19;

/** Brotli's own default, 11, is for files that are compressed once: 49 ms for 16 KiB of text, where 4 takes 0.4 ms (measured). */
const brotliQuality = 4;

/**
 * Applies codings to one body, in this order. What is written comes out with the same write, flushed: an event must not wait for the next one. A body
 * without any bytes stays without.
 */
export function createEncoder(codings: readonly Coding[]): Coder {
  return inSeries(codings.map((coding) => new ZlibCoder(() => compressor(coding))));
}

function compressor(coding: Coding) {
  switch (coding) {
    case "gzip":
      return createGzip({ flush: constants.Z_SYNC_FLUSH });
    case "deflate":
      return createDeflate({ flush: constants.Z_SYNC_FLUSH });
    case "br":
      return createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality, [constants.BROTLI_PARAM_LGWIN]: windowLog },
      });
    case "zstd":
      return createZstdCompress({ flush: constants.ZSTD_e_flush, params: { [constants.ZSTD_c_windowLog]: windowLog } });
  }
}
