import type { Finder } from "@envoy-policy-engine/streams/matches";
import { type Byte, isCapital, isDigit, isLetter, runEnd } from "./bytes.ts";

const charactersMin = 15;
const charactersMax = 34;
const blank = 0x20;

/**
 * International bank account numbers (ISO 13616): two capital letters, two check digits and 11 to 30 letters and digits with the right remainder, together
 * or in groups of four with one blank between them. How long a country's numbers are is not looked at: countries join.
 */
export const ibanFinder: Finder = {
  matchBytesMin: charactersMin,
  matchBytesMax: charactersMax + 8,
  find(text, from) {
    for (let at = from; at < text.length; at++) {
      if (!isCapital(text[at]) || !isCapital(text[at + 1]) || !isDigit(text[at + 2]) || !isDigit(text[at + 3])) continue;
      if (isLetter(text[at - 1]) || isDigit(text[at - 1])) continue;
      // From the longest on: the group behind a number may look like one of its own.
      const end = possibleEnds(text, at).findLast((possible) => isAccount(text.subarray(at, possible)));
      if (end !== undefined) return { start: at, end };
    }
    return undefined;
  },
};

const isPart = (byte: Byte): boolean => isCapital(byte) || isDigit(byte);

/** Where a number that begins here may end. Together it has one end, in groups one behind each of them. */
function possibleEnds(text: Uint8Array, start: number): readonly number[] {
  const together = runEnd(text, start, charactersMax + 1, isPart);
  if (together > start + 4) return isLetter(text[together]) ? [] : [together];
  const ends: number[] = [];
  for (let end = together, group = 4; group === 4 && text[end] === blank; ) {
    const begin = end + 1;
    end = runEnd(text, begin, 5, isPart);
    group = end - begin;
    if (group === 0 || group > 4 || isLetter(text[end])) break;
    ends.push(end);
  }
  return ends;
}

function isAccount(text: Uint8Array): boolean {
  const characters = text.filter(isPart);
  if (characters.length < charactersMin || characters.length > charactersMax) return false;
  // The country and the check digits move to the end, and every letter counts as two digits, 10 to 35 (ISO 7064, MOD 97-10).
  const remainder = [...characters.subarray(4), ...characters.subarray(0, 4)].reduce(
    (rest, byte) => (isDigit(byte) ? rest * 10 + byte - 0x30 : rest * 100 + byte - 0x41 + 10) % 97,
    0,
  );
  return remainder === 1;
}
