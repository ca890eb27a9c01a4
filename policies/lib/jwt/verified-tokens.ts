import { hash } from "node:crypto";
import { claimsFault, type JudgedClaims } from "./registered-claims.ts";
import type { VerifiedToken } from "./verify-token.ts";

/** What is known of a token that was verified. */
export interface Remembered extends Pick<VerifiedToken, "issuer" | "key"> {
  readonly judged: JudgedClaims;
}

/**
 * Tokens that were verified, under the SHA-256 of their text, so that the next request with one costs no signature. Refused ones are not
 * remembered: whoever wants to cost us work sends another one each time, and one that is refused now may be good in a moment.
 */
export interface VerifiedTokens<Entry extends Remembered> {
  /** Undefined when it was never verified, is no longer good, its key has left the set, or it was forgotten. */
  find(text: string): Entry | undefined;
  add(text: string, entry: Entry): void;
  readonly size: { readonly entries: number; readonly bytes: number };
}

export interface VerifiedTokensLimits {
  readonly entriesMax: number;
  /** An estimate: what a token holds in memory follows from its length. */
  readonly bytesMax: number;
}

/**
 * The oldest one that nobody has asked for since it was last spared is forgotten first: finding one only sets a mark, because moving it to the
 * end with each request would rebuild the map all the time. `now` in milliseconds.
 */
export function createVerifiedTokens<Entry extends Remembered>(
  { entriesMax, bytesMax }: VerifiedTokensLimits,
  now: () => number,
): VerifiedTokens<Entry> {
  const held = new Map<string, Held<Entry>>();
  let bytes = 0;

  const hold = (digest: string, token: Held<Entry>): void => {
    held.set(digest, token);
    bytes += token.bytes;
  };
  const forget = (digest: string): void => {
    bytes -= held.get(digest)?.bytes ?? 0;
    held.delete(digest);
  };

  return {
    find(text) {
      const digest = digestOf(text);
      const known = held.get(digest);
      if (known === undefined) return undefined;
      const { issuer, key, judged } = known.entry;
      if (claimsFault(judged, issuer, now()) !== undefined || !issuer.keys.holds(key)) {
        forget(digest);
        return undefined;
      }
      known.asked = true;
      return known.entry;
    },
    add(text, entry) {
      const digest = digestOf(text);
      forget(digest);
      const needed = entryBytes(text);
      const fits = (): boolean => held.size < entriesMax && bytes + needed <= bytesMax;
      for (const [oldest, known] of held) {
        if (fits()) break;
        forget(oldest);
        if (!known.asked) continue;
        known.asked = false;
        hold(oldest, known);
      }
      if (fits()) hold(digest, { entry, bytes: needed, asked: false });
    },
    get size() {
      return { entries: held.size, bytes };
    },
  };
}

interface Held<Entry> {
  readonly entry: Entry;
  readonly bytes: number;
  /** Since it was added, or last spared. */
  asked: boolean;
}

const digestOf = (text: string): string => hash("sha256", text, "base64");

/** The claims as values, what was made of them, and the map's own share. */
const entryBytes = (text: string): number => 3 * text.length + 512;
