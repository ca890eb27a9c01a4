/**
 * What is open, in places that are used again. No Set: with one entry added and deleted per exchange it makes its table anew every few exchanges, and
 * a table that has grown old keeps the exchanges of all later ones alive until the next full collection.
 */
export class OpenExchanges<Exchange> {
  readonly #places: (Exchange | undefined)[] = [];
  readonly #vacant: number[] = [];
  #vacantCount = 0;

  /** Returns a place, which is `leave`'s to give back. */
  enter(): number {
    if (this.#vacantCount === 0) return this.#places.push(undefined) - 1;
    this.#vacantCount -= 1;
    return this.#vacant[this.#vacantCount] ?? 0;
  }

  put(place: number, exchange: Exchange): void {
    this.#places[place] = exchange;
  }

  leave(place: number): void {
    this.#places[place] = undefined;
    this.#vacant[this.#vacantCount] = place;
    this.#vacantCount += 1;
  }

  /** Those that are open now. */
  all(): readonly Exchange[] {
    return this.#places.filter((exchange) => exchange !== undefined);
  }
}
