import { Buffer } from "node:buffer";
import type { BoundPlace } from "@envoy-policy-engine/credential-places";
import type { Request } from "@envoy-policy-engine/sdk";

export type SentToken =
  | { readonly kind: "none" }
  | { readonly kind: "one"; readonly text: string; readonly place: BoundPlace }
  | { readonly kind: "oversized" }
  /** Taking one of them would let a request mean one caller here and another one upstream. */
  | { readonly kind: "several" };

/** Longer ones are refused unread. */
export const tokenBytesMax = 16 * 1024;

/** The token of a request. Every place is looked at; an empty one holds none. */
export function sentToken(request: Request, places: readonly BoundPlace[]): SentToken {
  let sent: SentToken = { kind: "none" };
  for (const place of places) {
    const [value, another] = textsIn(place, request);
    if (another !== undefined) return { kind: "several" };
    if (value === undefined || value === "") continue;
    const credentials = isAuthorization(place) ? bearerCredentials(value) : value;
    if (credentials === "") continue;
    // A token has no comma: these are several lines that somebody on the way has joined (RFC 9110 5.3).
    if (sent.kind !== "none" || credentials.includes(",")) return { kind: "several" };
    sent = credentials.length > tokenBytesMax ? { kind: "oversized" } : { kind: "one", text: credentials, place };
  }
  return sent;
}

/** A header's text needs no copy of its bytes. What is not ASCII is no token, whatever text is made of it. */
function textsIn(place: BoundPlace, request: Request): readonly string[] {
  return place.in === "header" ? request.headers.getAll(place.name) : place.read(request).map(latin1);
}

/**
 * RFC 6750 2.1 and RFC 9110 11.4; the scheme in any case. Empty when it is another scheme, whose parameters may hold commas. What follows the
 * scheme counts whatever stands between: an upstream may take a tab for a blank, and would read a token that nobody has judged.
 */
function bearerCredentials(value: string): string {
  // What nearly everybody sends, found without a look at the whole of it.
  if (value.startsWith(usualScheme) && isVisible(value.charCodeAt(usualScheme.length))) return value.slice(usualScheme.length);
  const [, credentials] = bearer.exec(value) ?? [];
  if (credentials !== undefined) return credentials;
  return joinedBearer.test(value) ? "," : "";
}

/** The scheme ends where its letters do (RFC 9110 5.6.2). */
const bearer = /^\s*bearer(?![\w!#$%&'*+.^`|~-])\s*(.*)$/is;
const joinedBearer = /,\s*bearer(?![\w!#$%&'*+.^`|~=-])/i;

const usualScheme = "Bearer ";
const isVisible = (code: number): boolean => code > 0x20 && code < 0x7f;

const isAuthorization = (place: BoundPlace): boolean => place.in === "header" && place.name === "authorization";

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
