import type { Finder } from "@envoy-policy-engine/streams/matches";
import { type Byte, isCapital, isDigit, isLetter, runEnd } from "./bytes.ts";

/** The country and the check digits. */
const prefixCharacters = 4;
const charactersMin = 15;
const charactersMax = 34;
/** With the blanks between groups of four. */
const matchBytesMax = charactersMax + 8;
const blank = 0x20;

/**
 * International bank account numbers (ISO 13616): two capital letters, two check digits and 11 to 30 letters and digits with the right remainder, together
 * or in groups of four with one blank between them. How long a country's numbers are is not looked at: countries join.
 */
export const ibanFinder: Finder = {
  matchBytesMin: charactersMin,
  matchBytesMax,
  find(text, from) {
    for (let at = from; at < text.length; at++) {
      if (!isCapital(text[at]) || !isCapital(text[at + 1]) || !isDigit(text[at + 2]) || !isDigit(text[at + 3])) continue;
      if (isLetter(text[at - 1]) || isDigit(text[at - 1])) continue;
      const end = accountEnd(text, at);
      if (end !== undefined) return { start: at, end };
    }
    return undefined;
  },
};

const isPart = (byte: Byte): boolean => isCapital(byte) || isDigit(byte);

/**
 * Where a number that begins here may end. Together it has one end, in groups one behind each of them, as far as a number can reach: every group of a text may
 * begin one.
 */
function possibleEnds(text: Uint8Array, start: number): readonly number[] {
  const together = runEnd(text, start, charactersMax + 1, isPart);
  if (together > start + prefixCharacters) return isLetter(text[together]) ? [] : [together];
  const ends: number[] = [];
  for (let end = together, group = 4; group === 4 && text[end] === blank; ) {
    const begin = end + 1;
    end = runEnd(text, begin, 5, isPart);
    group = end - begin;
    if (group === 0 || group > 4 || isLetter(text[end]) || end > start + matchBytesMax) break;
    ends.push(end);
  }
  return ends;
}

/** Where the longest account number that begins here ends: the group behind a number may look like one of its own. */
function accountEnd(text: Uint8Array, start: number): number | undefined {
  let found: number | undefined;
  let rest = 0;
  let characters = prefixCharacters;
  let at = start + prefixCharacters;
  for (const end of possibleEnds(text, start)) {
    for (; at < end; at++) {
      const byte = text[at];
      if (byte === undefined || byte === blank) continue;
      rest = appended(rest, byte);
      characters++;
    }
    if (characters < charactersMin || characters > charactersMax) continue;
    if (text.subarray(start, start + prefixCharacters).reduce(appended, rest) === 1) found = end;
  }
  return found;
}

/** The country and the check digits count as if they stood at the end, and every letter as two digits, 10 to 35 (ISO 7064, MOD 97-10). */
function appended(rest: number, byte: number): number {
  return (isDigit(byte) ? rest * 10 + byte - 0x30 : rest * 100 + byte - 0x41 + 10) % 97;
}
