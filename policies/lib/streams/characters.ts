import { isUtf8 } from "node:buffer";
import { type BodyEditor, BodyFault } from "./editor.ts";

/** Cuts a body between characters, so that an editor behind it never sees a part of one. Bytes that are no UTF-8 end the exchange. */
export function characterEditor(): BodyEditor {
  let held: Uint8Array = new Uint8Array();
  return {
    chunk(bytes) {
      const all = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
      const cut = all.length - unfinishedBytes(all);
      const whole = all.subarray(0, cut);
      held = new Uint8Array(all.subarray(cut));
      if (!isUtf8(whole)) throw new BodyFault("the body is no UTF-8");
      return whole;
    },
    end() {
      if (held.length > 0) throw new BodyFault("the body ends within a character of UTF-8");
      return undefined;
    },
  };
}

/** How many bytes at the end begin a character that is not complete (RFC 3629 3): at most 3. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const expected = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return expected > back ? back : 0;
  }
  return 0;
}

/** No character begins with such a byte. */
export function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
