import { Buffer } from "node:buffer";

/**
 * The values of every query parameter of this name, decoded as HTML forms are (WHATWG URL, application/x-www-form-urlencoded): that is what
 * upstreams read, so `api%5Fkey` is `api_key`.
 */
export function queryValues(query: string, name: string): readonly Uint8Array[] {
  return query
    .split("&")
    .map(splitPair)
    .filter(([text]) => decoded(text) === name)
    .map(([, value]) => Buffer.from(decoded(value)));
}

/** The query without every parameter of this name; the rest keeps its bytes and its order. */
export function withoutQueryParameter(query: string, name: string): string {
  return query
    .split("&")
    .filter((pair) => decoded(splitPair(pair)[0]) !== name)
    .join("&");
}

function splitPair(pair: string): readonly [name: string, value: string] {
  const end = pair.indexOf("=");
  return end === -1 ? [pair, ""] : [pair.slice(0, end), pair.slice(end + 1)];
}

/** Text with a broken escape stays as it is: it spells no name that can be configured, and no key that was given out decodes to it. */
function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
