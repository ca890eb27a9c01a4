import { deepFreeze } from "./deep-freeze.ts";
import type { Journal, Undoable } from "./journal.ts";

/** The typed values that the steps of one exchange share. Which step may read or write what is checked in the step's own view. */
export class MetadataStore implements Undoable {
  readonly #journal: Journal;
  /** Undefined until something is set: most exchanges share nothing. */
  #values: Map<string, unknown> | undefined;
  #revision = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Rises whenever a value may have become another. */
  get revision(): number {
    return this.#revision;
  }

  get(name: string): unknown {
    return this.#values?.get(name);
  }

  /** The value is frozen: what was set is what everybody reads, and taking a step back takes back all of it. */
  set(name: string, value: unknown): void {
    deepFreeze(value);
    this.#values ??= new Map();
    this.#journal.record(this, name, this.#values.get(name));
    this.#values.set(name, value);
    this.#revision += 1;
  }

  restore(name: string, previous: unknown): void {
    this.#revision += 1;
    if (previous === undefined) this.#values?.delete(name);
    else this.#values?.set(name, previous);
  }

  /** The same where nobody asks whether a step has read it. */
  peek(name: string): unknown {
    return this.#values?.get(name);
  }

  /** A plain object of what is there. */
  asRecord(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#values ?? []);
  }
}
