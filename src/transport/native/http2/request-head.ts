import type { HeaderField } from "../hpack/header-field.ts";

/** A request that is well formed. */
export interface RequestHead {
  readonly method: string;
  /** Empty for CONNECT. */
  readonly path: string;
  readonly contentType: string;
  readonly grpcEncoding: string;
  /** What the body must come to, bytes; -1 when it is not said. */
  readonly contentLength: number;
  /** Of all fields, as RFC 9113 6.5.2 measures them. */
  readonly bytes: number;
  readonly fields: readonly HeaderField[];
}

/** Undefined: malformed (RFC 9113 8.1.1, 8.2, 8.3). */
export function requestHead(fields: readonly HeaderField[]): RequestHead | undefined {
  let method: string | undefined;
  let path: string | undefined;
  let scheme: string | undefined;
  let authority: string | undefined;
  let contentType = "";
  let grpcEncoding = "identity";
  let contentLength = -1;
  let regular = false;
  let bytes = 0;
  for (const { kind, value, bytes: fieldBytes } of fields) {
    bytes += fieldBytes;
    switch (kind) {
      case "method":
        if (regular || method !== undefined) return undefined;
        method = value;
        break;
      case "path":
        if (regular || path !== undefined) return undefined;
        path = value;
        break;
      case "scheme":
        if (regular || scheme !== undefined) return undefined;
        scheme = value;
        break;
      case "authority":
        if (regular || authority !== undefined) return undefined;
        authority = value;
        break;
      case "pseudo-unknown":
      case "connection-specific":
      case "malformed":
        return undefined;
      case "te":
        if (value !== "trailers") return undefined;
        regular = true;
        break;
      case "content-length": {
        const length = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
        if (length === undefined || (contentLength !== -1 && contentLength !== length)) return undefined;
        contentLength = length;
        regular = true;
        break;
      }
      case "content-type":
        contentType = value;
        regular = true;
        break;
      case "grpc-encoding":
        grpcEncoding = value;
        regular = true;
        break;
      case "other":
        regular = true;
        break;
      default:
        return kind satisfies never;
    }
  }
  if (!method) return undefined;
  if (method === "CONNECT") return { method, path: "", contentType, grpcEncoding, contentLength, bytes, fields };
  if (!path || !scheme) return undefined;
  return { method, path, contentType, grpcEncoding, contentLength, bytes, fields };
}

/** Whether fields may stand behind a body (RFC 9113 8.1). */
export function isTrailers(fields: readonly HeaderField[]): boolean {
  return fields.every(({ kind, name }) => kind !== "malformed" && kind !== "connection-specific" && !name.startsWith(":"));
}
