/** What HTTP and the engine allow in a header. Envoy answers 500 to a mutation it refuses, so a fault is found here, in the step that made it. */

import { Buffer } from "node:buffer";

// RFC 9110 5.6.2. Tested before the name is lower-cased: U+212A, for one, becomes an ASCII letter then.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 9110 7.6.1 and what Envoy's recommended `disallow_expression` refuses; content-length is the engine's: a stale one is request smuggling. */
const engineOwned: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-decision-id",
]);

/** Names that have passed, with their lower-case form: a step sets the same few in every exchange. */
const changeable = new Map<string, string>();
/** Clients choose names too, where a step renames or removes what matches. */
const changeableMax = 1_000;
const rememberedUnitsMax = 64;

/** Returns the lower-case name. Throws a `TypeError` when a policy may not change a header of this name. */
export function changeableHeaderName(name: string): string {
  const known = changeable.get(name);
  if (known !== undefined) return known;
  const lower = checkedHeaderName(name);
  if (changeable.size === changeableMax) changeable.clear();
  if (name.length <= rememberedUnitsMax) changeable.set(name, lower);
  return lower;
}

function checkedHeaderName(name: string): string {
  if (typeof name !== "string") throw new TypeError("a header name must be text");
  if (!token.test(name)) throw new TypeError(`\`${printable(name)}\` is no header name`);
  const lower = name.toLowerCase();
  if (lower === "host") throw new TypeError("the header `host` is changed by setting `request.host`");
  if (engineOwned.has(lower)) throw new TypeError(`the header \`${lower}\` may not be changed by a policy`);
  // Envoy tests the prefix without a dash.
  if (lower.startsWith("x-envoy")) throw new TypeError(`headers named \`x-envoy*\` belong to Envoy: \`${lower}\``);
  return lower;
}

/**
 * Returns the bytes of a value, without blanks at its ends, which belong to no value: HTTP/1.1 takes them off and HTTP/2 refuses them (RFC 9110 5.5,
 * RFC 9113 8.2.1). Throws a `TypeError` on control characters but for the tab, as Envoy does; the message does not repeat the value.
 */
export function headerValue(name: string, value: string | Uint8Array): Uint8Array {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw new TypeError(`the value of header \`${name}\` must be text or bytes`);
  }
  const plain = typeof value === "string" ? plainBytes(value) : undefined;
  if (plain !== undefined) return plain;
  // A copy: the policy keeps its array, and what it does to it later must not reach the wire.
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : new Uint8Array(value);
  for (const byte of bytes) {
    if ((byte < 32 && byte !== tab) || byte === 127) throw new TypeError(`the value of header \`${name}\` holds a control character`);
  }
  let start = 0;
  let end = bytes.length;
  while (start < end && isBlank(bytes[start])) start += 1;
  while (end > start && isBlank(bytes[end - 1])) end -= 1;
  return bytes.subarray(start, end);
}

/** The bytes of visible ASCII with blanks between; undefined when it is something else. Nearly every value is, and few are long. */
function plainBytes(value: string): Uint8Array | undefined {
  const last = value.length - 1;
  const bytes = Buffer.allocUnsafe(value.length);
  for (let index = 0; index <= last; index++) {
    const code = value.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return undefined;
    bytes[index] = code;
  }
  return isBlank(bytes[0]) || isBlank(bytes[last]) ? undefined : bytes;
}

const tab = 9;
const isBlank = (byte: number | undefined): boolean => byte === 32 || byte === tab;

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 64);
