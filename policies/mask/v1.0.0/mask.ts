import { createHmac } from "node:crypto";
import type { Rule } from "./parameters.ts";

/** What takes the place of something that is masked. */
export interface Mask {
  /** In place of a text. */
  text(text: Uint8Array): Uint8Array;
  /** In place of a JSON value that is no text and no number, given as JSON: nothing of it is kept. */
  structure(json: Uint8Array): Uint8Array;
}

const digestDigits = 32;

/** @throws Error when the rule asks for two things at once */
export function bindMask({ replaceWith, keepLast, hmacKey }: Pick<Rule, "replaceWith" | "keepLast" | "hmacKey">): Mask {
  const plain = Buffer.from(replaceWith);
  if (keepLast !== undefined && hmacKey !== undefined) throw new Error("`keepLast` and `hmacKey` do not go together: choose one");
  if (hmacKey !== undefined) {
    const pseudonym = (secret: Uint8Array): Uint8Array =>
      Buffer.from(replaceWith + createHmac("sha256", hmacKey).update(secret).digest("hex").slice(0, digestDigits));
    return { text: pseudonym, structure: pseudonym };
  }
  if (keepLast !== undefined) return { text: (text) => Buffer.from(replaceWith + tail(text, keepLast)), structure: () => plain };
  return { text: () => plain, structure: () => plain };
}

/** Never more than half: the last four of five digits would be nearly all of them. */
function tail(text: Uint8Array, charactersMax: number): string {
  const characters = [...Buffer.from(text).toString()];
  const count = Math.min(charactersMax, Math.floor(characters.length / 2));
  return characters.slice(characters.length - count).join("");
}
