import type { Exchange, Expression, Headers, Pattern } from "@envoy-policy-engine/sdk";
import { changeableName, isReserved } from "./header-name.ts";
import type { Change } from "./parameters.ts";

export type BoundChange = (headers: Headers, exchange: Exchange) => void;

/** Binds one entry of a list. Throws when it names a header that no policy may change, or can never do what it says. */
export function bindChange(change: Change): BoundChange {
  const { set, setFrom, append, appendFrom, remove, removeMatching, rename } = change;
  if (set !== undefined)
    return guarded(
      set.when,
      setting(set.name, () => set.value, set),
    );
  if (setFrom !== undefined)
    return guarded(
      setFrom.when,
      setting(setFrom.name, (exchange) => setFrom.expression.evaluate(exchange), setFrom),
    );
  if (append !== undefined)
    return guarded(
      append.when,
      appending(append.name, () => append.value),
    );
  if (appendFrom !== undefined) {
    return guarded(
      appendFrom.when,
      appending(appendFrom.name, (exchange) => appendFrom.expression.evaluate(exchange)),
    );
  }
  if (remove !== undefined) return guarded(remove.when, removing(remove.name));
  if (removeMatching !== undefined) return guarded(removeMatching.when, removingMatching(removeMatching.pattern));
  if (rename !== undefined) return guarded(rename.when, renaming(rename.from, rename.to));
  throw new Error("a change needs one of `set`, `setFrom`, `append`, `appendFrom`, `remove`, `removeMatching`, `rename`");
}

type Value = (exchange: Exchange) => string;

function guarded(when: Expression<boolean> | undefined, change: BoundChange): BoundChange {
  if (when === undefined) return change;
  return (headers, exchange) => {
    if (when.evaluate(exchange)) change(headers, exchange);
  };
}

function setting(text: string, value: Value, { ifAbsent }: { readonly ifAbsent: boolean }): BoundChange {
  const name = changeableName(text);
  return (headers, exchange) => {
    if (ifAbsent && headers.has(name)) return;
    const given = value(exchange);
    // Removed, not left: what stands there may be the client's, and the upstream would take it for the engine's.
    if (given === "") headers.delete(name);
    else headers.set(name, given);
  };
}

function appending(text: string, value: Value): BoundChange {
  const name = changeableName(text);
  return (headers, exchange) => {
    const given = value(exchange);
    if (given !== "") headers.append(name, given);
  };
}

function removing(text: string): BoundChange {
  const name = changeableName(text);
  return (headers) => headers.delete(name);
}

function removingMatching(pattern: Pattern): BoundChange {
  if (hasCapital(pattern.source)) {
    throw new Error(`the pattern \`${pattern.source}\` has capital letters, which never match: names are compared in lower case`);
  }
  return (headers) => {
    for (const name of headers.names()) {
      if (pattern.test(name) && !isReserved(name)) headers.delete(name);
    }
  };
}

function renaming(from: string, to: string): BoundChange {
  const [source, target] = [changeableName(from), changeableName(to)];
  if (source === target) throw new Error(`\`rename\` needs two different names: \`${source}\` twice`);
  return (headers) => {
    const values = headers.getBytes(source);
    if (values.length === 0) return;
    headers.set(target, values);
    headers.delete(source);
  };
}

/** Capital letters of escapes (`\S`, `\pL`) and group names are none to match, and under `(?i)` they do match. */
function hasCapital(pattern: string): boolean {
  if (/^\(\?i\)/.test(pattern)) return false;
  return /[A-Z]/.test(pattern.replace(/\\(?:p\{\^?\w+\}|p.|.)|\(\?P?<\w+>/gi, ""));
}
