import { fitsHeader, textList } from "./registered-claims.ts";

/** The name of a claim, or the way to one inside of another. */
export type ClaimPath = string | readonly string[];

/** The value at the end of the way; undefined when there is none. Only what was signed: nothing that every object has. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: ClaimPath): unknown {
  let value: unknown = claims;
  for (const name of typeof path === "string" ? [path] : path) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/**
 * A claim as the value of a header: a text as it is, a number or boolean as JSON writes it, a list of those joined by commas. Undefined, so
 * that there is no header, for what has no such form: `null`, objects, nested and empty lists, texts with control characters or blanks at
 * their ends, integers beyond 2^53 - 1, and list items that hold a comma. It is all or nothing: half a list would say something else than the token.
 */
export function headerText(value: unknown): string | undefined {
  if (!Array.isArray(value)) return scalarText(value);
  const items = value.map(scalarText);
  if (items.length === 0 || items.some((item) => item === undefined || item.includes(","))) return undefined;
  return items.join(",");
}

/** Whether the claim is one of the values, or a list with one of them. Numbers and booleans are compared as JSON writes them; integers beyond 2^53 - 1 equal nothing. */
export function claimHasOne(value: unknown, values: readonly string[]): boolean {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.map(plainText).some((text) => text !== undefined && values.includes(text));
}

/** Scopes of an access token: `scope`, a text with blanks between (RFC 8693 4.2) or a list; else `scp`. Undefined when there are none. */
export function scopesOf(claims: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const value = claimAt(claims, "scope") ?? claimAt(claims, "scp");
  return textList(value)?.flatMap((text) => text.split(" ").filter((scope) => scope !== ""));
}

function scalarText(value: unknown): string | undefined {
  const text = plainText(value);
  return text !== undefined && fitsHeader(text) ? text : undefined;
}

function plainText(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return String(value);
    case "number":
      return isAsSigned(value) ? String(value) : undefined;
    default:
      return undefined;
  }
}

/** Of larger integers several become one when JSON is read (RFC 8259 6): two users, say. */
const isAsSigned = (value: number): boolean => (Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value));

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
