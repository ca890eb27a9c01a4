import type { Match } from "@envoy-policy-engine/sdk";
import type { Finder } from "@envoy-policy-engine/streams/matches";
import { type Byte, isDigit, runEnd } from "./bytes.ts";

const digitsMin = 13;
const digitsMax = 19;
const dot = 0x2e;
const separators: readonly Byte[] = [0x20, 0x2d];

/** How cards are written in groups, the longest first: 16 to 19 digits by four, American Express, Diners Club. */
const groupings: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4, 2],
  [4, 4, 4, 4, 1],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
];

/**
 * Numbers of payment cards (ISO/IEC 7812): 13 to 19 digits that begin with 2 to 6, 8 or 9 and end with the check digit of Luhn, together or in groups with
 * one blank or one hyphen between them all. Digits around it, and those of a decimal fraction, make it another number.
 */
export const creditCardFinder: Finder = {
  matchBytesMin: digitsMin,
  matchBytesMax: digitsMax + 4,
  find(text, from) {
    for (let at = from; at < text.length; at++) {
      if (!isDigit(text[at]) || isDigit(text[at - 1])) continue;
      const end = cardEnd(text, at);
      if (end !== undefined) return { start: at, end };
    }
    return undefined;
  },
};

function cardEnd(text: Uint8Array, start: number): Match["end"] | undefined {
  if (text[start - 1] === dot && isDigit(text[start - 2])) return undefined;
  const together = runEnd(text, start, digitsMax + 1, isDigit) - start;
  if (together >= digitsMin) return together <= digitsMax && isCard(text, start, start + together) ? start + together : undefined;
  const separator = text[start + together];
  if (together !== 4 || !separators.includes(separator)) return undefined;
  for (const groups of groupings) {
    const end = groupsEnd(text, start, groups, separator);
    if (end !== undefined && isCard(text, start, end)) return end;
  }
  return undefined;
}

/** Where these groups end; undefined when they do not stand there. */
function groupsEnd(text: Uint8Array, start: number, groups: readonly number[], separator: Byte): number | undefined {
  let at = start;
  for (const [index, digits] of groups.entries()) {
    if (index > 0 && text[at++] !== separator) return undefined;
    if (runEnd(text, at, digits + 1, isDigit) !== at + digits) return undefined;
    at += digits;
  }
  return at;
}

function isCard(text: Uint8Array, start: number, end: number): boolean {
  if (text[end] === dot && isDigit(text[end + 1])) return false;
  const digits = [...text.subarray(start, end)].filter(isDigit).map((byte) => byte - 0x30);
  const [first = 0] = digits;
  return ![0, 1, 7].includes(first) && luhnSum(digits) % 10 === 0;
}

/** ISO/IEC 7812-1, annex B: from the right, every second digit is doubled, and the digits of what that gives are added. */
function luhnSum(digits: readonly number[]): number {
  return digits.reduceRight((sum, digit, index) => {
    const doubled = (digits.length - 1 - index) % 2 === 1 ? digit * 2 : digit;
    return sum + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
}
