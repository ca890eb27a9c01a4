import type { Http2Stream } from "./stream.ts";

/** The ids of a page are neighbours: a client's go up by two. */
interface Page {
  readonly number: number;
  readonly streams: (Http2Stream | undefined)[];
  count: number;
}

/**
 * Open streams by id, in pages. Not a Map of streams: one that changes with every stream leaves tables behind, and each keeps what was in it alive
 * until the next full collection (measured: most of what exchanges had used outlived its scavenge). A table that is left behind here holds
 * pages whose streams are gone from them.
 */
export class OpenStreams {
  readonly #pages = new Map<number, Page>();
  /** The one that was used last: most frames belong to it. It stays among the others when it is empty. */
  #page: Page | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Http2Stream | undefined {
    const stream = this.#find(id)?.streams[slotOf(id)];
    // An even id shares its slot with the odd one behind it, and a peer may name any.
    return stream?.id === id ? stream : undefined;
  }

  /** A stream whose id is not there yet. */
  add(stream: Http2Stream): void {
    const page = this.#find(stream.id) ?? this.#begin(pageOf(stream.id));
    page.streams[slotOf(stream.id)] = stream;
    page.count += 1;
    this.#size += 1;
  }

  delete(id: number): void {
    const page = this.#find(id);
    const slot = slotOf(id);
    if (page?.streams[slot] === undefined) return;
    page.streams[slot] = undefined;
    page.count -= 1;
    this.#size -= 1;
    if (page.count === 0 && page !== this.#page) this.#pages.delete(page.number);
  }

  clear(): void {
    this.#pages.clear();
    this.#page = undefined;
    this.#size = 0;
  }

  /** As they are now. */
  all(): readonly Http2Stream[] {
    return [...this.#pages.values()].flatMap(({ streams }) => streams.filter((stream) => stream !== undefined));
  }

  #find(id: number): Page | undefined {
    const number = pageOf(id);
    if (this.#page?.number === number) return this.#page;
    const page = this.#pages.get(number);
    if (page !== undefined) this.#turnTo(page);
    return page;
  }

  #begin(number: number): Page {
    const page = newPage(number);
    this.#pages.set(number, page);
    this.#turnTo(page);
    return page;
  }

  #turnTo(page: Page): void {
    if (this.#page?.count === 0) this.#pages.delete(this.#page.number);
    this.#page = page;
  }
}

const pageSlots = 64;
/** Ids of streams are odd. */
const pageOf = (id: number): number => Math.floor((id >>> 1) / pageSlots);
const slotOf = (id: number): number => (id >>> 1) & (pageSlots - 1);

const newPage = (number: number): Page => ({
  number,
  streams: new Array<Http2Stream | undefined>(pageSlots).fill(undefined),
  count: 0,
});
