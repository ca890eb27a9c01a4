/**
 * What must not be seen of an exchange, in three ways, because each alone has holes: by name (headers, query parameters and members of JSON that
 * carry credentials), by value (a credential that was met under such a name, wherever else it turns up), and by the secrets that the engine has read.
 */
import { isUtf8 } from "node:buffer";
import { decodeText, type HeaderEntry } from "./header-store.ts";

export const redacted = "[redacted]";

export interface Redaction {
  /** Remembers the credentials among header lines, those in the query of `:path` too. */
  learn(headers: readonly HeaderEntry[]): void;
  /** A text without what was learnt and without secrets, cut to `unitsMax` UTF-16 units. */
  text(text: string, unitsMax: number): string;
}

/**
 * Whether what stands under this name may let somebody in: `authorization`, `x-api-key`, `set-cookie`, `accessToken`. Rather too many than too few:
 * a policy may take its credentials from anywhere.
 */
export function namesCredential(name: string): boolean {
  return credentialWord.test(name.replace(/([a-z\d])([A-Z])/g, "$1-$2"));
}

const credentialWord =
  /(?:^|[-_.:])(?:api|access|private|partner|client|secret)?[-_]?(?:authorization|cookies?|tokens?|secrets?|passwords?|passwd|pwd|passphrase|credentials?|sessions?|sid|jwt|assertion|signature|sig|keys?|apikey|otp)(?:$|[-_.:\d])/i;

/** @param known removes the secrets that the engine has read */
export function createRedaction(known: (text: string) => string): Redaction {
  const values = new Set<string>();
  const remember = (value: string): void => {
    if (value.length >= valueUnitsMin && values.size < valuesMax) values.add(value);
  };
  return {
    learn(headers) {
      for (const { name, value } of headers) {
        const text = decodeText(value);
        if (name === ":path") for (const one of queryCredentials(text)) remember(one);
        else if (namesCredential(name)) for (const one of credentialsIn(name, text)) remember(one);
      }
    },
    text(text, unitsMax) {
      let shown = known(text);
      for (const value of [...values].sort((one, other) => other.length - one.length)) shown = shown.replaceAll(value, redacted);
      return shown.length > unitsMax ? `${shown.slice(0, unitsMax)}…` : shown;
    },
  };
}

/** Shorter ones would redact parts of ordinary words. */
const valueUnitsMin = 6;
const valuesMax = 200;

/** The value of a header as a whole, and the parts of it that somebody may pass on alone. */
function credentialsIn(name: string, text: string): readonly string[] {
  if (name === "cookie" || name === "set-cookie")
    return text.split(";").flatMap((pair) => [text, pair.slice(pair.indexOf("=") + 1).trim()]);
  const [, scheme = "", rest = ""] = /^(\S+)\s+(.+)$/.exec(text) ?? [];
  if (scheme.toLowerCase() !== "basic") return [text, rest];
  // RFC 7617 2: the password is what follows the first colon.
  const pair = Buffer.from(rest, "base64").toString("utf8");
  return [text, rest, pair, pair.slice(pair.indexOf(":") + 1)];
}

function queryCredentials(path: string): readonly string[] {
  return [...path.matchAll(/[?&]([^=&]+)=([^&]*)/g)].flatMap(([, name = "", value = ""]) =>
    namesCredential(name) ? [value, ...decoded(value)] : [],
  );
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
  return text.replace(/([?&])([^=&]+)=([^&]*)/g, (all, mark: string, key: string) =>
    namesCredential(key) ? `${mark}${key}=${redacted}` : all,
  );
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
