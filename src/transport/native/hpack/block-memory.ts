import type { HeaderField } from "./header-field.ts";

/** One header block and what it says as long as the dynamic table is as it was. */
interface Block {
  readonly octets: Uint8Array;
  readonly tableVersion: number;
  readonly fields: readonly HeaderField[];
}

/**
 * Header blocks that may come again octet by octet: a proxy opens its streams with the same few, and comparing is much cheaper than decoding. Holds a
 * bounded number of short ones; one takes another's place.
 */
export class BlockMemory {
  readonly #blocks: (Block | undefined)[] = new Array<Block | undefined>(blocksMax).fill(undefined);

  find(bytes: Uint8Array, start: number, end: number, tableVersion: number): readonly HeaderField[] | undefined {
    const block = this.#blocks[placeOf(bytes, start, end)];
    if (block === undefined || block.tableVersion !== tableVersion || block.octets.length !== end - start) return undefined;
    const { octets } = block;
    for (let index = 0; index < octets.length; index++) if (bytes[start + index] !== octets[index]) return undefined;
    return block.fields;
  }

  /** @param tableVersion of the dynamic table, before and after the block */
  keep(bytes: Uint8Array, start: number, end: number, tableVersion: number, fields: readonly HeaderField[]): void {
    if (end - start > octetsMax) return;
    this.#blocks[placeOf(bytes, start, end)] = { octets: new Uint8Array(bytes.subarray(start, end)), tableVersion, fields };
  }
}

/** A power of two. */
const blocksMax = 64;
const octetsMax = 256;

/** Blocks that are alike differ in what comes last. */
function placeOf(bytes: Uint8Array, start: number, end: number): number {
  let sum = end - start;
  for (let at = Math.max(start, end - 4); at < end; at++) sum = sum * 31 + (bytes[at] ?? 0);
  return sum & (blocksMax - 1);
}
