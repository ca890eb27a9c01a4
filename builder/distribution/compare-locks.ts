import type { Lock } from "./lock.ts";

export interface LockChange {
  /** `the policy geo-block@1.2.3`, `esbuild` */
  readonly what: string;
  /** A hash or a version; `nothing` where there was or is none. */
  readonly locked: string;
  readonly found: string;
}

/** Everything that differs, policies and packages by name. Addons are compared elsewhere: each platform has its own. */
export function compareLocks(before: Lock, after: Lock): readonly LockChange[] {
  return [
    ...entries("the distribution's", before.distribution, after.distribution, String),
    ...entries("the engine's", before.engine, after.engine, String),
    ...entries("", before.tools, after.tools, String),
    ...entries("the source", before.sources, after.sources, ({ version, integrity }) => [version, integrity].filter(Boolean).join(" ")),
    ...entries("the policy", before.policies, after.policies, ({ hash, schema, source }) => `${hash} (schema ${schema}) from ${source}`),
    ...entries("the package", before.packages, after.packages, ({ version = "", integrity, ...others }) =>
      [version, integrity ?? JSON.stringify(others)].join(" "),
    ),
  ];
}

function entries<Value>(
  kind: string,
  before: { readonly [key: string]: Value },
  after: { readonly [key: string]: Value },
  text: (value: Value) => string,
): readonly LockChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    const [locked, found] = [before[key], after[key]].map((value) => (value === undefined ? "nothing" : text(value)));
    if (locked === undefined || found === undefined || locked === found) return [];
    return [{ what: `${kind} ${key}`.trim(), locked, found }];
  });
}
