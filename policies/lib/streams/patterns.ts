import type { Pattern } from "@envoy-policy-engine/sdk";
import { matchLength } from "./match-length.ts";
import type { Finder } from "./matches.ts";

/**
 * Finds what a pattern matches.
 *
 * @throws Error when it can match the empty text: there would be a match everywhere
 */
export function patternFinder(pattern: Pattern): Finder {
  const { charactersMin, bytesMax } = matchLength(pattern.source);
  if (charactersMin === 0) throw new Error(`the pattern \`${pattern.source}\` matches the empty text, and so it would match everywhere`);
  // A character has a byte at least.
  return { matchBytesMin: charactersMin, matchBytesMax: bytesMax, find: (text, from) => pattern.find(text, from) };
}
