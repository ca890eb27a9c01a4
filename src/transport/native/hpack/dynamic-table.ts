import { fieldOverheadBytes, type HeaderField } from "./header-field.ts";

/** The last fields that the peer asked to keep (RFC 7541 2.3.2), in a ring. */
export class DynamicTable {
  readonly #bytesMax: number;
  readonly #ring: (HeaderField | undefined)[];
  /** Another one after each change. */
  version = 0;
  #newest = -1;
  #count = 0;
  #bytes = 0;
  #bytesLimit: number;

  /** @param bytesMax what SETTINGS_HEADER_TABLE_SIZE allows */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#bytesLimit = bytesMax;
    this.#ring = new Array<HeaderField | undefined>(Math.max(1, Math.floor(bytesMax / fieldOverheadBytes))).fill(undefined);
  }

  /** 0 is the newest. */
  get(index: number): HeaderField | undefined {
    if (index >= this.#count) return undefined;
    const at = this.#newest - index;
    return this.#ring[at < 0 ? at + this.#ring.length : at];
  }

  /** A field that is larger than the table empties it (RFC 7541 4.4). */
  add(field: HeaderField): void {
    this.version += 1;
    this.#evictTo(this.#bytesLimit - field.bytes);
    if (field.bytes > this.#bytesLimit) return;
    this.#newest = this.#newest + 1 === this.#ring.length ? 0 : this.#newest + 1;
    this.#ring[this.#newest] = field;
    this.#count++;
    this.#bytes += field.bytes;
  }

  /** False when that is more than was allowed. */
  resize(bytes: number): boolean {
    if (bytes > this.#bytesMax) return false;
    this.version += 1;
    this.#bytesLimit = bytes;
    this.#evictTo(bytes);
    return true;
  }

  #evictTo(bytes: number): void {
    while (this.#count > 0 && this.#bytes > bytes) {
      const oldest = this.#newest - this.#count + 1;
      const at = oldest < 0 ? oldest + this.#ring.length : oldest;
      this.#bytes -= this.#ring[at]?.bytes ?? 0;
      this.#ring[at] = undefined;
      this.#count--;
    }
  }
}
