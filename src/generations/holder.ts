import type { Generation, Prepared } from "./generation.ts";

/** Holds the generation in use. Swapping it is one assignment; an old one closes when its last exchange has let go of it. */
export interface GenerationHolder {
  /** Undefined until the first commit. */
  current(): Generation | undefined;
  /** @param number greater than that of any generation before */
  commit(prepared: Prepared, number: number): Generation;
  /** Numbers of the generations that are not closed yet, oldest first, the current one included. */
  open(): readonly number[];
  /** How many exchanges a generation has had; undefined when it is not one of the last `countedMax`. */
  exchanges(number: number): number | undefined;
  /** The same of all of them. */
  counts(): readonly ExchangeCount[];
  /** Retires the current generation: it closes with its last exchange. */
  close(): void;
}

export function createGenerationHolder(now: () => number): GenerationHolder {
  let current: HeldGeneration | undefined;
  const open = new Set<number>();
  const counts: GrowingCount[] = [];
  return {
    current: () => current,
    open: () => [...open],
    exchanges: (number) => counts.find((one) => one.number === number)?.exchanges,
    counts: () => counts.map((one) => ({ ...one })),
    commit(prepared, number) {
      open.add(number);
      const count = { number, exchanges: 0 };
      counts.push(count);
      if (counts.length > countedMax) counts.shift();
      const previous = current;
      current = new HeldGeneration(prepared, count, now(), () => open.delete(number));
      previous?.retire();
      return current;
    },
    close() {
      current?.retire();
      current = undefined;
    },
  };
}

export interface ExchangeCount {
  /** Of the generation. */
  readonly number: number;
  readonly exchanges: number;
}

/** Apart from the generation, so that a count that is kept keeps nothing else. */
interface GrowingCount extends ExchangeCount {
  exchanges: number;
}

/** More than can be rolled back to. */
const countedMax = 16;

class HeldGeneration implements Generation {
  readonly number: number;
  readonly hash: string;
  readonly committedAt: number;
  readonly chains: Prepared["chains"];
  readonly config: Prepared["config"];
  readonly #prepared: Prepared;
  readonly #count: GrowingCount;
  readonly #closed: () => void;
  #pins = 0;
  #retired = false;

  constructor(prepared: Prepared, count: GrowingCount, committedAt: number, closed: () => void) {
    this.number = count.number;
    this.hash = prepared.config.hash;
    this.committedAt = committedAt;
    this.chains = prepared.chains;
    this.config = prepared.config;
    this.#prepared = prepared;
    this.#count = count;
    this.#closed = closed;
  }

  pin(): void {
    this.#pins += 1;
    this.#count.exchanges += 1;
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
