import type { Journal, Undoable } from "./journal.ts";

/** The typed values that the steps of one exchange share. Which step may read or write what is checked in the step's own view. */
export class MetadataStore implements Undoable {
  readonly #journal: Journal;
  readonly #values = new Map<string, unknown>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get(name: string): unknown {
    return this.#values.get(name);
  }

  /** The value is frozen: what was set is what everybody reads, and taking a step back takes back all of it. */
  set(name: string, value: unknown): void {
    freeze(value);
    this.#journal.record(this, name, this.#values.get(name));
    this.#values.set(name, value);
  }

  restore(name: string, previous: unknown): void {
    if (previous === undefined) this.#values.delete(name);
    else this.#values.set(name, previous);
  }

  /** A plain object of what is there, for expressions and tests. */
  asRecord(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#values);
  }
}

/** Lists and plain objects, all the way down; values of other kinds are no data that a schema could describe. A loop: depth may be a client's. */
function freeze(root: unknown): void {
  const seen = new Set<unknown>();
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) continue;
    seen.add(value);
    for (const part of Object.values(Object.freeze(value))) if (typeof part === "object") open.push(part);
  }
}
