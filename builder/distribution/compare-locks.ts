import type { Lock } from "./lock.ts";

export interface LockChange {
  /** `the policy geo-block@1.2.3: hash`, `tools: esbuild` */
  readonly what: string;
  /** A hash or a version; `nothing` where there was or is none. */
  readonly locked: string;
  readonly found: string;
}

/** Everything that differs. Addons are compared elsewhere: each platform has its own. */
export function compareLocks(before: Lock, after: Lock): readonly LockChange[] {
  return [
    ...fields("the distribution", before.distribution, after.distribution),
    ...fields("the engine", before.engine, after.engine),
    ...fields("tools", before.tools, after.tools),
    ...entries("the source", before.sources, after.sources, ({ version, integrity }) => version ?? integrity),
    ...entries("the policy", before.policies, after.policies, ({ hash }) => hash),
    ...entries("the package", before.packages, after.packages, ({ version = "" }) => version),
  ];
}

type Fields = object;

/** Entries by their names: one that has come or gone is one change, shown as `text` says; else each field that differs is one. */
function entries<Entry extends Fields>(
  kind: string,
  before: Readonly<Record<string, Entry>>,
  after: Readonly<Record<string, Entry>>,
  text: (entry: Entry) => string,
): readonly LockChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((name) => {
    const [locked, found] = [before[name], after[name]];
    if (locked !== undefined && found !== undefined) return fields(`${kind} ${name}`, locked, found);
    return [{ what: `${kind} ${name}`, locked: locked ? text(locked) : nothing, found: found ? text(found) : nothing }];
  });
}

function fields(what: string, before: Fields, after: Fields): readonly LockChange[] {
  const [locked, found] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...locked.keys(), ...found.keys()])].sort().flatMap((key) => {
    const [old, now] = [valueText(locked.get(key)), valueText(found.get(key))];
    return old === now ? [] : [{ what: `${what}: ${key}`, locked: old, found: now }];
  });
}

const nothing = "nothing";

function valueText(value: unknown): string {
  if (value === undefined) return nothing;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
