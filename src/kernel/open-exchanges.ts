import type { Exchange } from "./process-exchange.ts";

/**
 * The exchanges that are open. Not a Set: one that changes with every exchange leaves tables behind, which keep what has ended alive until the
 * next full collection (measured: four of five exchanges outlived their scavenge).
 */
export class OpenExchanges {
  readonly #all: Exchange[] = [];

  add(exchange: Exchange): void {
    exchange.place = this.#all.push(exchange) - 1;
  }

  /** The last one takes its place. */
  delete({ place }: Exchange): void {
    const last = this.#all.pop();
    if (last === undefined || last.place === place) return;
    last.place = place;
    this.#all[place] = last;
  }

  /** As they are now: one that ends meanwhile is told all the same. */
  now(): readonly Exchange[] {
    return [...this.#all];
  }
}
