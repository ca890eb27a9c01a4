import { symbolsByCodeBits } from "./huffman-code.ts";

const endOfString = 256;
const emits = 0x1_00_00;
const fails = 0x2_00_00;

/**
 * Decodes four bits at a time: no code is shorter than five, so four of them end one symbol at most. Build one and share it: it costs 8 KiB
 * of tables and has no state.
 */
export class HuffmanDecoder {
  /** By state and the next four bits: the next state, `<< 8` the symbol, and whether there is one. */
  readonly #steps: Uint32Array;
  /** States in which a string may end: nothing but up to seven ones of the end of the string have been read (RFC 7541 5.2). */
  readonly #mayEnd: Uint8Array;

  constructor() {
    const { children, mayEnd } = codeTree();
    this.#steps = new Uint32Array(children.length * 16);
    this.#mayEnd = Uint8Array.from(mayEnd, Number);
    for (let state = 0; state < children.length; state++) {
      for (let bits = 0; bits < 16; bits++) this.#steps[state * 16 + bits] = walk(children, state, bits);
    }
  }

  /** Writes what `bytes[start, end)` stands for into `target`, which must have room for 8 / 5 of it. Returns its length, -1 when it is no code. */
  decode(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
    let state = 0;
    let length = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      for (let shift = 4; shift >= 0; shift -= 4) {
        const step = this.#steps[state * 16 + ((byte >> shift) & 15)] ?? fails;
        if (step >= emits) {
          if (step & fails) return -1;
          target[length++] = (step >> 8) & 0xff;
        }
        state = step & 0xff;
      }
    }
    return this.#mayEnd[state] === 1 ? length : -1;
  }
}

/** What a bit leads to: another state, or a symbol written as `-1 - symbol`. */
type Children = [number | undefined, number | undefined];

function codeTree(): { readonly children: readonly Children[]; readonly mayEnd: readonly boolean[] } {
  const children: Children[] = [[undefined, undefined]];
  const mayEnd = [true];
  let code = 0;
  let codeBits = 0;
  for (const [bits, symbols] of symbolsByCodeBits) {
    code *= 2 ** (bits - codeBits);
    codeBits = bits;
    for (const symbol of symbols) plant(symbol, code++, bits);
  }
  return { children, mayEnd };

  function plant(symbol: number, symbolCode: number, bits: number): void {
    let state = 0;
    for (let left = bits - 1; left >= 0; left--) {
      const bit = (symbolCode >> left) & 1 ? 1 : 0;
      const node = children[state];
      if (node === undefined) return;
      if (left === 0) node[bit] = -1 - symbol;
      const next = node[bit] ?? children.length;
      if (next === children.length) {
        node[bit] = next;
        children.push([undefined, undefined]);
        // As many ones as bits of this code have been read: padding ends before the eighth.
        mayEnd.push(bits - left <= 7 && bit === 1 && mayEnd[state] === true);
      }
      state = next;
    }
  }
}

function walk(children: readonly Children[], from: number, bits: number): number {
  let state = from;
  let emitted = 0;
  for (let shift = 3; shift >= 0; shift--) {
    const next = children[state]?.[(bits >> shift) & 1 ? 1 : 0];
    if (next === undefined || next === -1 - endOfString) return emits | fails;
    if (next < 0) emitted = emits | ((-1 - next) << 8);
    state = Math.max(next, 0);
  }
  return emitted | state;
}
