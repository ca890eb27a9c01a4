/** Configuration of others as data: read from YAML, changed at named places, written as YAML. */
import { parse, stringify } from "yaml";

export type Data = null | boolean | number | string | readonly Data[] | { readonly [key: string]: Data };

/** A way into a document: a key, an index, or the item of a list whose `name` is this. */
export type Way = readonly (string | number | { readonly name: string })[];

/** Throws when the text is no YAML. */
export function readData(text: string): Data {
  return asData(parse(text));
}

export function writeData(data: Data): string {
  return stringify(data);
}

/** The document with another value at one place. Throws when there is no way to that place; the last key may be new. */
export function replaceAt(data: Data, way: Way, value: Data): Data {
  const [first, ...rest] = way;
  if (first === undefined) return value;
  if (typeof first === "string") {
    if (!isMap(data) || (rest.length > 0 && !(first in data))) throw new Error(`there is no \`${first}\` in ${JSON.stringify(data)}`);
    return { ...data, [first]: replaceAt(data[first] ?? null, rest, value) };
  }
  const items = Array.isArray(data) ? (data as readonly Data[]) : [];
  const index = typeof first === "number" ? first : items.findIndex((item) => isMap(item) && item.name === first.name);
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${JSON.stringify(first)} in ${JSON.stringify(data)}`);
  return items.with(index, replaceAt(item, rest, value));
}

/** What stands at one place. Throws when there is no way to that place. */
export function dataAt(data: Data, way: Way): Data {
  return way.reduce((inside: Data, step) => {
    const items = Array.isArray(inside) ? (inside as readonly Data[]) : [];
    const keyed = isMap(inside) && typeof step === "string" ? inside[step] : undefined;
    const found = typeof step === "object" ? items.find((item) => isMap(item) && item.name === step.name) : (keyed ?? items[Number(step)]);
    if (found === undefined) throw new Error(`there is no ${JSON.stringify(step)} in ${JSON.stringify(inside)}`);
    return found;
  }, data);
}

function isMap(data: Data): data is { readonly [key: string]: Data } {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

function asData(value: unknown): Data {
  if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(asData);
  if (typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asData(item)]));
  throw new Error(`no data: ${String(value)}`);
}
