/** Content codings of bodies that steps wait for (RFC 9110 8.4.1): none and gzip. */
import { promisify } from "node:util";
import { gunzip, gzip, type ZlibOptions } from "node:zlib";
import type { ReceivedHeaders } from "../worker/received-headers.ts";

export type ContentCoding = "identity" | "gzip" | "unknown";

/** How much larger than its gzip a body may be: more is a bomb, not text. */
const ratioMax = 200;
const zip = promisify(gzip);
const memberStart = Buffer.of(0x1f, 0x8b, 0x08);

export function contentCoding(headers: ReceivedHeaders): ContentCoding {
  const names = headers.texts("content-encoding").flatMap((value) => value.split(",").map((name) => name.trim().toLowerCase()));
  const codings = names.filter((name) => name !== "" && name !== "identity");
  if (codings.length === 0) return "identity";
  return codings.length === 1 && (codings[0] === "gzip" || codings[0] === "x-gzip") ? "gzip" : "unknown";
}

/** The length that the message says its body has, bytes; undefined when it says none. */
export function declaredLength(headers: ReceivedHeaders): number | undefined {
  const [length] = headers.texts("content-length");
  return length === undefined ? undefined : Number(length);
}

/**
 * Several members are one body (RFC 1952 2.2), no bytes at all are an empty one. Rejects when the bytes are no gzip or not all of them are, or
 * decode to more than the limit.
 */
export async function decodeGzip(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  if (bytes.length === 0) return bytes;
  const { buffer, engine } = await unzip(bytes, { maxOutputLength: Math.min(bytesMax, bytes.length * ratioMax) });
  // zlib stops at a zero byte behind a member. Some upstreams read on, and would see what the steps did not.
  if (engine.bytesWritten !== bytes.length) throw new RangeError("something that is no gzip follows the body");
  return buffer;
}

/** Every member begins with the same three bytes (RFC 1952 2.3.1). Those may also stand inside of one: then true is a guess on the safe side. */
export function mayHoldSeveralMembers(gzip: Uint8Array): boolean {
  return Buffer.from(gzip.buffer, gzip.byteOffset, gzip.byteLength).indexOf(memberStart, 1) !== -1;
}

/** With what shows how far zlib has read, which its typings leave out. */
function unzip(bytes: Uint8Array, options: ZlibOptions): Promise<Unzipped> {
  return new Promise((resolve, reject) => {
    gunzip(bytes, { ...options, info: true }, (error, result: unknown) => (error === null ? resolve(result as Unzipped) : reject(error)));
  });
}

interface Unzipped {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

export function encodeGzip(bytes: Uint8Array): Promise<Uint8Array> {
  return zip(bytes);
}
