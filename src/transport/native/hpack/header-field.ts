/** What a field of a request is to this server. `malformed`: its name or value may not stand in HTTP/2 (RFC 9113 8.2). */
export type FieldKind =
  | "method"
  | "path"
  | "scheme"
  | "authority"
  | "pseudo-unknown"
  | "te"
  | "content-length"
  | "content-type"
  | "grpc-encoding"
  | "connection-specific"
  | "malformed"
  | "other";

/** Frozen in meaning: entries of the tables are shared by all header lists that refer to them. */
export interface HeaderField {
  readonly name: string;
  /** Decoded as UTF-8: Envoy writes route names so. */
  readonly value: string;
  readonly kind: FieldKind;
  /** What its name says, whatever the value is. */
  readonly nameKind: FieldKind;
  /** As tables and lists are measured: octets of name and value, and 32 (RFC 7541 4.1). */
  readonly bytes: number;
}

/** The octets that a field counts for besides its own (RFC 7541 4.1). */
export const fieldOverheadBytes = 32;

/** Classified once: what is referred to again is not looked at again. */
export function headerField(name: string, value: string, bytes: number): HeaderField {
  return fieldNamed(name, nameKindOf(name), value, bytes);
}

/** Its name is that of a field in a table: two octets can refer to four thousand, which must not be looked at again for them. */
export function headerFieldLike({ name, nameKind }: HeaderField, value: string, bytes: number): HeaderField {
  return fieldNamed(name, nameKind, value, bytes);
}

function fieldNamed(name: string, nameKind: FieldKind, value: string, bytes: number): HeaderField {
  return { name, value, kind: isMalformed(value) ? "malformed" : nameKind, nameKind, bytes };
}

function nameKindOf(name: string): FieldKind {
  const known = kinds.get(name);
  if (known !== undefined) return known;
  if (name.startsWith(":")) return "pseudo-unknown";
  return fieldName.test(name) ? "other" : "malformed";
}

/** NUL, CR, LF anywhere, white space at an end (RFC 9113 8.2.1). */
function isMalformed(value: string): boolean {
  if (value.includes("\0") || value.includes("\r") || value.includes("\n")) return true;
  return isSpace(value.charCodeAt(0)) || isSpace(value.charCodeAt(value.length - 1));
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

/** RFC 9110's token without upper case (RFC 9113 8.2). */
const fieldName = /^[!#$%&'*+\-.^_`|~\da-z]+$/;

const kinds: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  [":method", "method"],
  [":path", "path"],
  [":scheme", "scheme"],
  [":authority", "authority"],
  ["te", "te"],
  ["content-length", "content-length"],
  ["content-type", "content-type"],
  ["grpc-encoding", "grpc-encoding"],
  // RFC 9113 8.2.2
  ["connection", "connection-specific"],
  ["proxy-connection", "connection-specific"],
  ["keep-alive", "connection-specific"],
  ["transfer-encoding", "connection-specific"],
  ["upgrade", "connection-specific"],
]);
