import type { Finder } from "@envoy-policy-engine/streams/matches";
import { type Byte, isBeyondAscii, isDigit, isLetter, runEnd } from "./bytes.ts";

const at = 0x40;
const dot = 0x2e;
const hyphen = 0x2d;
const localBytesMax = 64;
const labelBytesMax = 63;
const domainBytesMax = 253;

/**
 * Mail addresses: a dot-atom (RFC 5322 3.2.3) of 64 bytes at most (RFC 5321 4.5.3.1.1), an `@`, and a domain of two or more labels whose last one begins
 * with a letter (`react@18.2.0` is none). Characters beyond ASCII may stand in both (RFC 6531). No quoted names, no addresses in brackets.
 */
export const emailFinder: Finder = {
  matchBytesMin: "a@b.cd".length,
  matchBytesMax: localBytesMax + 1 + domainBytesMax,
  find(text, from) {
    for (let sign = text.indexOf(at, from); sign !== -1; sign = text.indexOf(at, sign + 1)) {
      const start = localBegin(text, sign);
      if (start < from || start === sign) continue;
      const end = domainEnd(text, sign + 1);
      if (end !== undefined) return { start, end };
    }
    return undefined;
  },
};

const atomSigns: ReadonlySet<Byte> = new Set(Buffer.from("!#$%&'*+-/=?^_`{|}~."));
const isAtom = (byte: Byte): boolean => isLetter(byte) || isDigit(byte) || isBeyondAscii(byte) || atomSigns.has(byte);
const isAsciiLabel = (byte: Byte): boolean => isLetter(byte) || isDigit(byte) || byte === hyphen;
const isLabel = (byte: Byte): boolean => isAsciiLabel(byte) || isBeyondAscii(byte);

/** Of a longer name the last bytes, from a whole character on; no dot begins it. */
function localBegin(text: Uint8Array, sign: number): number {
  let begin = sign;
  while (begin > sign - localBytesMax && isAtom(text[begin - 1])) begin--;
  while (text[begin] === dot || ((text[begin] ?? 0) & 0xc0) === 0x80) begin++;
  return begin;
}

/** Behind the last label that can end a domain; undefined when there is none. */
function domainEnd(text: Uint8Array, begin: number): number | undefined {
  let found: number | undefined;
  for (let label = begin; ; ) {
    const end = labelEnd(text, label, Math.min(labelBytesMax, begin + domainBytesMax - label));
    if (end === undefined) return found;
    if (label > begin && end - label > 1 && !isDigit(text[label])) found = end;
    if (text[end] !== dot) return found;
    label = end + 1;
  }
}

/**
 * Undefined when there is no label of so many bytes at most. The text may go on without a blank where it is written without any (Chinese, Japanese): then
 * what is beyond ASCII is no part of it. Nor are hyphens behind it.
 */
function labelEnd(text: Uint8Array, label: number, bytesMax: number): number | undefined {
  if (text[label] === hyphen) return undefined;
  const run = runEnd(text, label, bytesMax + 1, isLabel);
  let end = run - label > bytesMax ? runEnd(text, label, bytesMax + 1, isAsciiLabel) : run;
  while (text[end - 1] === hyphen) end--;
  return end > label && end - label <= bytesMax ? end : undefined;
}
