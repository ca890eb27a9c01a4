import { aboutTheBytes } from "../worker/body-store.ts";
import type { HeaderChanges, HeaderEntry } from "../worker/header-store.ts";

/**
 * The changes that fit a replaced body. Content-length stays where there was one and gets the new length: a stale one is request smuggling
 * (measured), and Envoy answers 500 to one that does not fit.
 */
export function withReplacedBody(received: readonly HeaderEntry[], changes: HeaderChanges, body: Uint8Array): HeaderChanges {
  const had = (wanted: string): boolean => received.some(({ name }) => name === wanted);
  const stale = aboutTheBytes.filter((name) => had(name) && !isSet(changes, name));
  const length = had("content-length") ? [{ name: "content-length", value: Buffer.from(String(body.length)), append: false }] : [];
  return { remove: [...changes.remove, ...stale], set: [...changes.set, ...length] };
}

const isSet = ({ set, remove }: HeaderChanges, name: string): boolean => remove.includes(name) || set.some((one) => one.name === name);
