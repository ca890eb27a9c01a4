/**
 * What must not be seen of an exchange, in three ways, because each alone has holes: by name (headers, query parameters and members of JSON that
 * carry credentials), by value (a credential that was met under such a name, wherever else it turns up), and by the secrets that the engine has read.
 */
import { isUtf8 } from "node:buffer";
import { namesCredential } from "../config/credential-names.ts";
import { secretForms } from "../config/secret-forms.ts";
import { decodeText, type HeaderEntry } from "./header-store.ts";

export const redacted = "[redacted]";

export interface Redaction {
  /** Remembers the credentials among header lines, those in the query of `:path` too. */
  learn(headers: readonly HeaderEntry[]): void;
  /** A text without what was learnt and without secrets. */
  whole(text: string): string;
  /** The same, cut to `unitsMax` UTF-16 units. */
  text(text: string, unitsMax: number): string;
}

/** @param known removes the secrets that the engine has read */
export function createRedaction(known: (text: string) => string): Redaction {
  /** What a value looks like in a text, once one was long enough to hold it. */
  const forms = new Map<string, readonly string[] | undefined>();
  /** A credential may be the beginning of another one. */
  let longestFirst: readonly string[] | undefined;
  const whole = (text: string): string => {
    longestFirst ??= [...forms.keys()].sort((one, other) => other.length - one.length);
    let shown = known(text);
    for (const value of longestFirst) {
      if (value.length > shown.length) continue;
      const looks = forms.get(value) ?? secretForms(value);
      forms.set(value, looks);
      for (const look of looks) shown = shown.replaceAll(look, redacted);
    }
    return shown;
  };
  return {
    learn(headers) {
      longestFirst = undefined;
      for (const value of credentialsOf(headers)) {
        if (forms.size >= valuesMax) return;
        if (value.length >= valueUnitsMin && !forms.has(value)) forms.set(value, undefined);
      }
    },
    whole,
    text(text, unitsMax) {
      const shown = whole(text);
      return shown.length > unitsMax ? `${shown.slice(0, unitsMax)}…` : shown;
    },
  };
}

/** Shorter ones would redact parts of ordinary words. */
const valueUnitsMin = 6;
const valuesMax = 200;

/** One by one: a client may send more than are wanted. */
function* credentialsOf(headers: readonly HeaderEntry[]): Iterable<string> {
  for (const { name, value } of headers) {
    if (name === ":path") yield* queryCredentials(decodeText(value));
    else if (namesCredential(name)) yield* credentialsIn(name, decodeText(value));
  }
}

/** The value of a header as a whole, and the parts of it that somebody may pass on alone. */
function* credentialsIn(name: string, text: string): Iterable<string> {
  yield text;
  if (name === "cookie" || name === "set-cookie") {
    for (const [, value = ""] of text.matchAll(/(?:^|;)(?:[^;=]*=)?([^;]*)/g)) yield value.trim();
    return;
  }
  const [, scheme = "", rest = ""] = /^(\S+)\s+(.+)$/.exec(text) ?? [];
  yield rest;
  if (scheme.toLowerCase() !== "basic") return;
  // RFC 7617 2: the password is what follows the first colon.
  const pair = Buffer.from(rest, "base64").toString("utf8");
  yield* [pair, pair.slice(pair.indexOf(":") + 1)];
}

function* queryCredentials(path: string): Iterable<string> {
  for (const part of queryParts(path)) {
    const [name, value] = nameAndValue(part);
    if (namesCredential(name)) yield* [value, ...decoded(value)];
  }
}

/** By hand: a pattern that looks for names and values anywhere takes quadratic time on `????...`. */
function queryParts(path: string): readonly string[] {
  const mark = path.indexOf("?");
  return mark === -1 ? [] : path.slice(mark + 1).split("&");
}

function nameAndValue(part: string): readonly [string, string] {
  const sign = part.indexOf("=");
  return sign === -1 ? [part, ""] : [part.slice(0, sign), part.slice(sign + 1)];
}

function decoded(text: string): readonly string[] {
  try {
    return [decodeURIComponent(text.replaceAll("+", " "))];
  } catch {
    return [];
  }
}

/** A header's value, or of `:path`, unless it is a credential by its name. */
export function headerText(name: string, value: Uint8Array): string {
  if (namesCredential(name)) return redacted;
  const text = decodeText(value);
  if (name !== ":path") return text;
  const parts = queryParts(text).map((part) => {
    const [key] = nameAndValue(part);
    return part.length > key.length && namesCredential(key) ? `${key}=${redacted}` : part;
  });
  return parts.length === 0 ? text : `${text.slice(0, text.indexOf("?"))}?${parts.join("&")}`;
}

/** JSON of a value, members that carry credentials by their name replaced. `nothing` where there is none. Never throws: the value may be a policy's own object. */
export function jsonText(value: unknown): string {
  try {
    return value === undefined ? "nothing" : (JSON.stringify(value, jsonMember) ?? "nothing");
  } catch {
    return "cannot be written as JSON";
  }
}

function jsonMember(name: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Map) return Object.fromEntries(value);
  return holdsCredential(name, value) ? redacted : value;
}

/** A record under such a name is looked into: `authorization` may be what a policy has decided. */
export function holdsCredential(name: string, value: unknown): boolean {
  return namesCredential(name) && (typeof value === "string" || typeof value === "number" || Array.isArray(value));
}

/** A body as text: JSON and forms without the members that carry credentials; bytes that are no text only by their number. */
export function bodyText(bytes: Uint8Array): string {
  const head = bytes.subarray(0, bodyBytesRead);
  const size = `(${bytes.length} bytes)`;
  // Where it is cut, it may be cut inside of a character.
  if (head.includes(0) || (bytes.length <= bodyBytesRead && !isUtf8(head))) return size;
  const text = decodeText(head);
  return `${bytes.length > bodyBytesRead ? bare(text) : (json(text) ?? bare(text))} ${size}`;
}

/** More than is ever shown, so that nothing is cut before it is redacted. */
const bodyBytesRead = 64 * 1024;

function json(text: string): string | undefined {
  try {
    return jsonText(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Text that need be neither JSON nor a form, but may look like it. */
function bare(text: string): string {
  return text.replace(
    /("?)([\w.-]{1,64})\1(\s*[=:]\s*)("(?:[^"\\]|\\.)*"?|[^\s&;,}]+)/g,
    (all, quote: string, name: string, sign: string) => (namesCredential(name) ? `${quote}${name}${quote}${sign}${redacted}` : all),
  );
}

/** The same with every text in it redacted and cut. Plain data only. */
export function redactedCopy<Value>(value: Value, redaction: Redaction, unitsMax: number): Value;
export function redactedCopy(value: unknown, redaction: Redaction, unitsMax: number): unknown {
  if (typeof value === "string") return redaction.text(value, unitsMax);
  if (Array.isArray(value)) return value.map((one: unknown) => redactedCopy(one, redaction, unitsMax));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, redactedCopy(one, redaction, unitsMax)]));
}
