import { decodeText, type HeaderEntry } from "./header-store.ts";

/** The header lines of one message as they came, in their order. Names are lower-case; pseudo-headers are among them. */
export interface ReceivedHeaders {
  has(name: string): boolean;
  /** The values of every line of this name, in order; none when it is absent. */
  values(name: string): readonly Uint8Array[];
  /** The same as text. */
  texts(name: string): readonly string[];
  /** Every line. */
  entries(): readonly HeaderEntry[];
}

/** Lines that somebody has made, rather than read off the wire. */
export class HeaderLines implements ReceivedHeaders {
  readonly #lines: readonly HeaderEntry[];

  constructor(lines: readonly HeaderEntry[]) {
    this.#lines = lines;
  }

  has(name: string): boolean {
    return this.#lines.some((line) => line.name === name);
  }

  values(name: string): readonly Uint8Array[] {
    return this.#lines.filter((line) => line.name === name).map(({ value }) => value);
  }

  texts(name: string): readonly string[] {
    return this.values(name).map((value) => decodeText(value));
  }

  entries(): readonly HeaderEntry[] {
    return this.#lines;
  }
}

export const noHeaders: ReceivedHeaders = new HeaderLines([]);
