import type { Generation, Prepared } from "./generation.ts";

/** Holds the generation in use. Swapping it is one assignment; an old one closes when its last exchange has let go of it. */
export interface GenerationHolder {
  /** Undefined until the first commit. */
  current(): Generation | undefined;
  commit(prepared: Prepared): Generation;
  /** Numbers of the generations that are not closed yet, oldest first, the current one included. */
  open(): readonly number[];
  /** Retires the current generation: it closes with its last exchange. */
  close(): void;
}

/** @param before number of the last generation of an earlier process; 0: there was none that is known */
export function createGenerationHolder(now: () => number, before: number): GenerationHolder {
  let current: HeldGeneration | undefined;
  let last = before;
  const open = new Set<number>();
  return {
    current: () => current,
    open: () => [...open],
    commit(prepared) {
      last += 1;
      const number = last;
      open.add(number);
      const previous = current;
      current = new HeldGeneration(prepared, number, now(), () => open.delete(number));
      previous?.retire();
      return current;
    },
    close() {
      current?.retire();
      current = undefined;
    },
  };
}

class HeldGeneration implements Generation {
  readonly number: number;
  readonly hash: string;
  readonly committedAt: number;
  readonly chains: Prepared["chains"];
  readonly config: Prepared["config"];
  readonly #prepared: Prepared;
  readonly #closed: () => void;
  #pins = 0;
  #retired = false;

  constructor(prepared: Prepared, number: number, committedAt: number, closed: () => void) {
    this.number = number;
    this.hash = prepared.config.hash;
    this.committedAt = committedAt;
    this.chains = prepared.chains;
    this.config = prepared.config;
    this.#prepared = prepared;
    this.#closed = closed;
  }

  pin(): void {
    this.#pins += 1;
  }

  unpin(): void {
    this.#pins -= 1;
    this.#closeWhenFree();
  }

  retire(): void {
    this.#retired = true;
    this.#closeWhenFree();
  }

  #closeWhenFree(): void {
    if (!this.#retired || this.#pins > 0) return;
    this.#prepared.release();
    this.#closed();
  }
}
