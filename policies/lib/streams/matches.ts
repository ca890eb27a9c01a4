import type { Match } from "@envoy-policy-engine/sdk";
import { ByteQueue } from "./byte-queue.ts";
import { isContinuation } from "./characters.ts";
import { type BodyEditor, BodyFault } from "./editor.ts";

/**
 * Finds matches in UTF-8. Whether one begins at a byte, and where it ends, depends only on the {@link contextBytes} before it, the `matchBytesMax`
 * from there on and the `contextBytes` behind these: so a part of a text is enough to decide on it.
 */
export interface Finder {
  /** No match is shorter, bytes; at least 1. A shorter text is not searched at all. */
  readonly matchBytesMin: number;
  /** No match is longer, bytes; `Infinity` where there is no bound. */
  readonly matchBytesMax: number;
  /** The leftmost match that begins at `from`, the first byte of a character, or behind it. Never an empty one. */
  find(text: Uint8Array, from: number): Match | undefined;
}

/** What takes the place of a match. */
export type Replacement = (match: Uint8Array) => Uint8Array;

/** How far a finder may look around a match, bytes: one character. */
export const contextBytes = 4;

/** The longest match for which a stream is held back, bytes. A search costs that much at most besides what it passes over. */
export const windowBytesMax = 8 * 1024;

/**
 * Replaces matches in a body as it passes, across the borders of chunks, and gives what {@link replaceMatches} gives for the whole. It holds back up to
 * twice the longest match, so that every byte is searched twice at most however small the chunks are. The body is to be UTF-8, cut between
 * characters: a `characterEditor` stands before it.
 *
 * @throws RangeError when matches can be longer than {@link windowBytesMax}
 */
export function matchEditor(finder: Finder, replacement: Replacement): BodyEditor {
  const reach = finder.matchBytesMax + contextBytes;
  if (reach > windowBytesMax + contextBytes) throw new RangeError(`matches can be longer than ${windowBytesMax} bytes`);
  const held = new ByteQueue();
  /** What stands before the bytes that are not decided on, already given: what a finder may look back at. */
  let context = 0;

  const decide = (end: number): Uint8Array => {
    const text = held.view();
    const { parts, stop } = replaced(text, context, end, finder, replacement);
    const given = Buffer.concat(parts);
    context = Math.min(stop, contextBytes);
    held.drop(stop - context);
    return given;
  };
  return {
    chunk(bytes) {
      held.append(bytes);
      const undecided = held.length - context;
      return undecided < 2 * reach ? undefined : decide(characterBegin(held.view(), held.length - reach));
    },
    end: () => (held.length === context ? undefined : decide(held.length)),
  };
}

/**
 * Replaces every match in a text that is there as a whole; the same object when there is none. What takes the place of a match is not searched
 * again.
 *
 * @param budget what a finder whose matches can be longer than {@link windowBytesMax} may read
 */
export function replaceMatches(text: Uint8Array, finder: Finder, replacement: Replacement, budget: SearchBudget): Uint8Array {
  if (text.length < finder.matchBytesMin) return text;
  const { parts, found } = replaced(text, 0, text.length, within(budget, finder), replacement);
  return found ? Buffer.concat(parts) : text;
}

/**
 * How much may still be read for searches, bytes: one budget for all of them in a body, an event or a line. A search without a bound may read all that
 * is left of a text for every match, and a text made for that would keep the engine busy for minutes.
 */
export interface SearchBudget {
  bytesLeft: number;
}

function within(budget: SearchBudget, finder: Finder): Finder {
  if (finder.matchBytesMax <= windowBytesMax) return finder;
  return {
    ...finder,
    find(text, from) {
      budget.bytesLeft -= text.length - from;
      if (budget.bytesLeft < 0) throw new BodyFault("there are too many matches of a pattern without a bound");
      return finder.find(text, from);
    },
  };
}

/** The bytes from `from` on with every match replaced that begins before `end`; `stop` is where the last part ends, `end` or the end of a match. */
function replaced(text: Uint8Array, from: number, end: number, finder: Finder, replacement: Replacement) {
  const parts: Uint8Array[] = [];
  let stop = from;
  for (;;) {
    const match = stop < end ? finder.find(text, stop) : undefined;
    if (match === undefined || match.start >= end) break;
    parts.push(text.subarray(stop, match.start), replacement(text.subarray(match.start, match.end)));
    stop = match.end;
  }
  const found = parts.length > 0;
  if (stop < end) parts.push(text.subarray(stop, end));
  return { parts, stop: Math.max(stop, end), found };
}

function characterBegin(text: Uint8Array, at: number): number {
  let begin = at;
  while (begin > 0 && isContinuation(text[begin] ?? 0)) begin--;
  return begin;
}
