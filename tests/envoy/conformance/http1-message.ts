/** HTTP/1.1 messages as bytes, read no further than a case needs to know where they end (RFC 9112 6). */
import { type HeaderLine, headerLines, valuesOf } from "../../../scripts/processes/header-lines.ts";

export interface MessageHead {
  /** The request line or the status line. */
  readonly line: string;
  readonly headers: readonly HeaderLine[];
  /** How many bytes the head has, with the empty line behind it. */
  readonly bytes: number;
}

export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "open" };

/** Undefined while it is not all there. */
export function readHead(bytes: Buffer): MessageHead | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [line = "", ...rest] = bytes.toString("latin1", 0, end).split("\r\n");
  const raw = rest.flatMap((one) => [one.slice(0, one.indexOf(":")), one.slice(one.indexOf(":") + 1).replace(/^[ \t]+|[ \t]+$/g, "")]);
  return { line, headers: headerLines(raw), bytes: end + 4 };
}

export function requestFraming({ headers }: MessageHead): Framing {
  if (valuesOf(headers, "upgrade").length > 0) return { kind: "open" };
  return declaredFraming(headers) ?? { kind: "none" };
}

/** @param method of the request that it answers */
export function responseFraming({ line, headers }: MessageHead, method: string): Framing {
  const status = statusOf(line);
  if (method === "HEAD" || status === 204 || status === 304) return { kind: "none" };
  return (status === 101 ? undefined : declaredFraming(headers)) ?? { kind: "open" };
}

export const statusOf = (line: string): number => Number(line.split(" ")[1]);

/** How many of the bytes belong to the body, with its framing; undefined while it is not whole. */
export function bodyEnd(bytes: Buffer, framing: Framing): number | undefined {
  switch (framing.kind) {
    case "none":
      return 0;
    case "length":
      return bytes.length >= framing.bytes ? framing.bytes : undefined;
    case "chunked":
      return readChunks(bytes).end;
    case "open":
      return undefined;
    default:
      return framing satisfies never;
  }
}

/** Nothing of nothing: an empty chunk would be the last one. */
export function asChunk(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? bytes : Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

export interface Chunks {
  readonly body: Buffer;
  readonly trailers: readonly HeaderLine[];
  readonly end: number | undefined;
}

/** What is there of them; `end` is undefined while the last chunk and its trailers are not. */
export function readChunks(bytes: Buffer): Chunks {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return { body: Buffer.concat(parts), trailers: [], end: undefined };
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (size === 0) {
      // With the line of the last chunk in the place of a first line, the trailers read like headers.
      if (bytes.toString("latin1", lineEnd, lineEnd + 4) === "\r\n\r\n")
        return { body: Buffer.concat(parts), trailers: [], end: lineEnd + 4 };
      const trailers = readHead(bytes.subarray(at));
      return { body: Buffer.concat(parts), trailers: trailers?.headers ?? [], end: trailers && at + trailers.bytes };
    }
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return { body: Buffer.concat(parts), trailers: [], end: undefined };
    parts.push(bytes.subarray(lineEnd + 2, next - 2));
    at = next;
  }
}

function declaredFraming(headers: readonly HeaderLine[]): Framing | undefined {
  if (valuesOf(headers, "transfer-encoding").includes("chunked")) return { kind: "chunked" };
  const [length] = valuesOf(headers, "content-length");
  return length === undefined ? undefined : { kind: "length", bytes: Number(length) };
}
