/** Something whose changes can be taken back. */
export interface Undoable {
  restore(key: string, previous: unknown): void;
}

/** One change: who, which key, and what stood there. */
export interface Noted {
  readonly target: Undoable;
  readonly key: string;
  readonly previous: unknown;
}

/**
 * What the steps of one exchange have changed, in order. Steps run one after another, so taking back a step is taking back everything
 * since its mark (`onError: skip`).
 */
export class Journal {
  #entries: Noted[] = [];

  record(target: Undoable, key: string, previous: unknown): void {
    this.#entries.push({ target, key, previous });
  }

  mark(): number {
    return this.#entries.length;
  }

  /** What was changed since the mark, in order. */
  since(mark: number): readonly Noted[] {
    return this.#entries.slice(mark);
  }

  /** What stands now stays: everything that was changed so far was changed by steps that have come to their end. */
  forget(): void {
    this.#entries = [];
  }

  rollBack(mark: number): void {
    for (let last = this.#entries.length - 1; last >= mark; last--) {
      const entry = this.#entries[last];
      entry?.target.restore(entry.key, entry.previous);
    }
    this.#entries.length = Math.min(this.#entries.length, mark);
  }
}
