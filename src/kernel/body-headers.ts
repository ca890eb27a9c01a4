import type { HeaderChanges, HeaderEntry } from "../worker/header-store.ts";

/** What said something about the bytes that are no longer there (RFC 9110 8.8.3 and 14.3, RFC 9530, RFC 1864). */
const aboutTheOriginal = ["etag", "content-md5", "digest", "content-digest", "repr-digest", "accept-ranges"] as const;

/**
 * The changes that fit a replaced body. Content-length stays where there was one and gets the new length: a stale one is request smuggling
 * (measured), and Envoy answers 500 to one that does not fit.
 */
export function withReplacedBody(
  phase: "request" | "response",
  received: readonly HeaderEntry[],
  changes: HeaderChanges,
  body: Uint8Array,
): HeaderChanges {
  const had = (wanted: string): boolean => received.some(({ name }) => name === wanted);
  const stale = phase === "response" ? aboutTheOriginal.filter((name) => had(name) && !isSet(changes, name)) : [];
  const length = had("content-length") ? [{ name: "content-length", value: Buffer.from(String(body.length)), append: false }] : [];
  return { remove: [...changes.remove, ...stale], set: [...changes.set, ...length] };
}

const isSet = ({ set, remove }: HeaderChanges, name: string): boolean => remove.includes(name) || set.some((one) => one.name === name);
