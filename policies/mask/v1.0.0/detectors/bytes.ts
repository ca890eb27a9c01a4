/** Questions about bytes of UTF-8 text; `undefined`, the byte before the first and behind the last, is none of these. */
export type Byte = number | undefined;

export const isDigit = (byte: Byte): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
export const isCapital = (byte: Byte): boolean => byte !== undefined && byte >= 0x41 && byte <= 0x5a;
export const isLetter = (byte: Byte): boolean => isCapital(byte) || (byte !== undefined && byte >= 0x61 && byte <= 0x7a);
/** A part of a character beyond ASCII. */
export const isBeyondAscii = (byte: Byte): boolean => byte !== undefined && byte >= 0x80;

/** Where the bytes from `from` on stop being such, `limit` bytes behind it at most. */
export function runEnd(text: Uint8Array, from: number, limit: number, isSuch: (byte: Byte) => boolean): number {
  let end = from;
  while (end < from + limit && isSuch(text[end])) end++;
  return end;
}
