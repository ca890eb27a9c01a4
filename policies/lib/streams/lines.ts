import { ByteQueue } from "./byte-queue.ts";
import { type BodyEditor, BodyFault } from "./editor.ts";

const lf = 0x0a;
const cr = 0x0d;

/**
 * Edits a body line by line, as JSON lines are: a line ends with LF or CRLF, the last one also with the body. It leaves as soon as it is complete.
 *
 * @param lineBytesMax the longest line, with its end; a longer one ends the exchange
 * @param edit gets a line without its end, also an empty one, and must not keep it. Returns what takes its place, before the same end; the same
 *   object leaves the line as it came, `undefined` takes it out together with its end
 */
export function lineEditor(lineBytesMax: number, edit: (line: Uint8Array) => Uint8Array | undefined): BodyEditor {
  const held = new ByteQueue();
  const assertFits = (bytes: number): void => {
    if (bytes > lineBytesMax) throw new BodyFault(`a line is longer than ${lineBytesMax} bytes`);
  };
  /** @param stop where the end of the line begins, `next` what is behind it */
  const edited = (raw: Buffer, begin: number, stop: number, next: number): readonly Uint8Array[] => {
    const line = raw.subarray(begin, stop);
    const given = edit(line);
    if (given === undefined) return [];
    return given === line ? [raw.subarray(begin, next)] : [given, raw.subarray(stop, next)];
  };
  return {
    chunk(bytes) {
      let searched = held.length;
      held.append(bytes);
      const raw = held.view();
      const parts: Uint8Array[] = [];
      let begin = 0;
      for (;;) {
        const end = raw.indexOf(lf, searched);
        if (end === -1) break;
        assertFits(end + 1 - begin);
        parts.push(...edited(raw, begin, raw[end - 1] === cr && end > begin ? end - 1 : end, end + 1));
        begin = end + 1;
        searched = begin;
      }
      assertFits(raw.length - begin);
      const given = Buffer.concat(parts);
      held.drop(begin);
      return given;
    },
    end() {
      const raw = held.view();
      return raw.length === 0 ? undefined : Buffer.concat(edited(raw, 0, raw.length, raw.length));
    },
  };
}
