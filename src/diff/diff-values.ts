/** Where two plain JSON values differ. */
import { canonicalJson } from "../config/canonical.ts";
import { keyPath } from "../config/node.ts";

/**
 * One difference. Without `from` the value is new, without `to` it is gone. In a path the index of an item is the one it has where it stands: of
 * an item that is gone the old one, else the new one.
 */
export interface ValueChange {
  /** `parameters.request[0].set.name` */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** The order of keys means nothing, the order of items does. Undefined is nothing. */
export function diffValues(path: string, from: unknown, to: unknown): readonly ValueChange[] {
  if (Array.isArray(from) && Array.isArray(to)) return diffLists(path, from, to);
  if (isMap(from) && isMap(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return keys.flatMap((key) => diffValues(keyPath(path, key), own(from, key), own(to, key)));
  }
  return same(from, to) ? [] : [{ path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
}

/** What is equal at the start and at the end stays; between, items are taken for each other only when there are as many as before. */
function diffLists(path: string, from: readonly unknown[], to: readonly unknown[]): readonly ValueChange[] {
  let start = 0;
  while (start < Math.min(from.length, to.length) && same(from[start], to[start])) start += 1;
  let end = 0;
  while (end < Math.min(from.length, to.length) - start && same(from.at(-1 - end), to.at(-1 - end))) end += 1;
  const [removed, added] = [from.slice(start, from.length - end), to.slice(start, to.length - end)];
  if (removed.length === added.length) {
    return removed.flatMap((item, offset) => diffValues(`${path}[${start + offset}]`, item, added[offset]));
  }
  return [
    ...removed.map((item, offset) => ({ path: `${path}[${start + offset}]`, from: item })),
    ...added.map((item, offset) => ({ path: `${path}[${start + offset}]`, to: item })),
  ];
}

function same(left: unknown, right: unknown): boolean {
  return left === right || (left !== undefined && right !== undefined && canonicalJson(left) === canonicalJson(right));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(map: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
