/** Content codings of bodies that steps wait for (RFC 9110 8.4.1): none and gzip. */
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { decodeText, type HeaderEntry } from "../worker/header-store.ts";

export type ContentCoding = "identity" | "gzip" | "unknown";

/** How much larger than its gzip a body may be: more is a bomb, not text. */
const ratioMax = 200;
const unzip = promisify(gunzip);
const zip = promisify(gzip);

export function contentCoding(headers: readonly HeaderEntry[]): ContentCoding {
  const names = valuesOf(headers, "content-encoding").flatMap((value) => value.split(",").map((name) => name.trim().toLowerCase()));
  const codings = names.filter((name) => name !== "" && name !== "identity");
  if (codings.length === 0) return "identity";
  return codings.length === 1 && (codings[0] === "gzip" || codings[0] === "x-gzip") ? "gzip" : "unknown";
}

/** The length that the message says its body has, bytes; undefined when it says none. */
export function declaredLength(headers: readonly HeaderEntry[]): number | undefined {
  const [length] = valuesOf(headers, "content-length");
  return length === undefined ? undefined : Number(length);
}

/** Rejects when the bytes are no gzip, or decode to more than the limit. */
export async function decodeGzip(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  const limit = Math.min(bytesMax, Math.max(bytes.length, 1) * ratioMax);
  return await unzip(bytes, { maxOutputLength: Math.max(limit, 1) });
}

export function encodeGzip(bytes: Uint8Array): Promise<Uint8Array> {
  return zip(bytes);
}

function valuesOf(headers: readonly HeaderEntry[], wanted: string): readonly string[] {
  return headers.filter(({ name }) => name === wanted).map(({ value }) => decodeText(value));
}
