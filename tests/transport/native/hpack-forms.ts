/** A client's HPACK that writes the same fields in whatever way RFC 7541 allows, as it is told by `choose`. */
import { symbolsByCodeBits } from "../../../src/transport/native/hpack/huffman-code.ts";
import { dynamicIndexMin } from "../../../src/transport/native/hpack/static-table.ts";
import { type Fields, integer, text } from "./frames.ts";

/** A number below the one given. */
export type Choose = (below: number) => number;

export function createFormsEncoder(choose: Choose): (fields: Fields) => Buffer {
  const table: (readonly [name: string, value: string])[] = [];
  const codes = huffmanCodes();
  let bytesMax = 4096;

  const evict = (): void => {
    while (table.reduce((sum, [name, value]) => sum + octets(name) + octets(value) + 32, 0) > bytesMax) table.pop();
  };
  const written = (value: string): Buffer => {
    const plain = Buffer.from(value);
    if (choose(2) === 0) return Buffer.concat([integer(0, 0x7f, plain.length), plain]);
    const coded = huffman(plain, codes);
    return Buffer.concat([integer(0x80, 0x7f, coded.length), coded]);
  };
  const literal = (pattern: number, mask: number, name: string, value: string): Buffer => {
    const known = table.findIndex(([kept]) => kept === name);
    if (known === -1 || choose(2) === 0) return Buffer.concat([Buffer.of(pattern), written(name), written(value)]);
    return Buffer.concat([integer(pattern, mask, dynamicIndexMin + known), written(value)]);
  };
  const kept = (name: string, value: string, bytes: Buffer): Buffer => {
    table.unshift([name, value]);
    evict();
    return bytes;
  };
  const placeOf = (name: string, value: string): number =>
    table.findIndex(([keptName, keptValue]) => keptName === name && keptValue === value);
  const anyForm = (name: string, value: string): Buffer => {
    const known = placeOf(name, value);
    if (known !== -1 && choose(4) > 0) return integer(0x80, 0x7f, dynamicIndexMin + known);
    switch (choose(3)) {
      case 0:
        return literal(0x00, 0x0f, name, value);
      case 1:
        return literal(0x10, 0x0f, name, value);
      default:
        return kept(name, value, literal(0x40, 0x3f, name, value));
    }
  };
  /** So that blocks come again octet by octet, and do not always mean the same. */
  const thrifty = (name: string, value: string): Buffer => {
    const known = placeOf(name, value);
    return known === -1
      ? kept(name, value, Buffer.concat([Buffer.of(0x40), text(name), text(value)]))
      : integer(0x80, 0x7f, dynamicIndexMin + known);
  };
  const forms: readonly ((name: string, value: string) => Buffer)[] = [
    anyForm,
    thrifty,
    (name, value) => (name.startsWith("x-") ? thrifty(name, value) : Buffer.concat([Buffer.of(0), text(name), text(value)])),
  ];
  return (fields) => {
    const block: Buffer[] = [];
    if (choose(8) === 0) {
      bytesMax = [0, 100, 300, 4096][choose(4)] ?? 0;
      evict();
      block.push(integer(0x20, 0x1f, bytesMax));
    }
    const form = forms[choose(forms.length)] ?? anyForm;
    for (const [name, value] of fields) block.push(form(name, value));
    return Buffer.concat(block);
  };
}

const octets = (one: string): number => Buffer.byteLength(one);

/** By octet, its code in bits. */
function huffmanCodes(): readonly string[] {
  const bitsOf: string[] = [];
  let code = 0;
  let codeBits = 0;
  for (const [bits, symbols] of symbolsByCodeBits) {
    code *= 2 ** (bits - codeBits);
    codeBits = bits;
    for (const symbol of symbols) bitsOf[symbol] = (code++).toString(2).padStart(bits, "0");
  }
  return bitsOf;
}

function huffman(bytes: Buffer, codes: readonly string[]): Buffer {
  const bits = [...bytes].map((byte) => codes[byte]).join("");
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  return Buffer.from((padded.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
}
