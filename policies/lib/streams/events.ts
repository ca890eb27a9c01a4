import { ByteQueue } from "./byte-queue.ts";
import { type BodyEditor, BodyFault } from "./editor.ts";

/**
 * A line of an event: `data`, `event`, `id`, `retry` or a name that clients ignore. A comment has the name `""`. The value has neither the blank
 * behind the colon nor the end of the line.
 */
export interface EventField {
  readonly name: string;
  readonly value: string;
}

/** The lines of one event of `text/event-stream`, in their order. */
export type StreamEvent = readonly EventField[];

const lf = 0x0a;
const cr = 0x0d;
const byteOrderMark = Buffer.from("\ufeff");

/**
 * Edits server-sent events one by one (WHATWG HTML 9.2.5 and 9.2.6). An event leaves as soon as the blank line behind it has begun; lines end with LF,
 * CRLF or CR. What is behind the last blank line is no event to clients, but it is on the wire, and so it is edited like one.
 *
 * @param eventBytesMax the largest event, with its blank line; a larger one ends the exchange
 * @param edit returns what takes the event's place: the same object leaves its bytes as they came, `undefined` takes it out
 */
export function eventEditor(eventBytesMax: number, edit: (event: StreamEvent) => StreamEvent | undefined): BodyEditor {
  const held = new ByteQueue();
  /** How much of what is held has been searched for the end of the event, and where the last line in it begins. */
  const place = { searched: 0, lineBegin: 0, afterCr: false };
  let first = true;

  const assertFits = (bytes: number): void => {
    if (bytes > eventBytesMax) throw new BodyFault(`an event is larger than ${eventBytesMax} bytes`);
  };
  /** @param stop where the blank line begins, `next` what is behind it */
  const edited = (raw: Buffer, begin: number, stop: number, next: number): readonly Uint8Array[] => {
    assertFits(next - begin);
    const mark = first && raw.subarray(begin, begin + 3).equals(byteOrderMark) ? 3 : 0;
    first = false;
    const event = fieldsOf(raw.toString("utf8", begin + mark, stop));
    const given = event.length === 0 ? event : edit(event);
    if (given === event) return [raw.subarray(begin, next)];
    const before = raw.subarray(begin, begin + mark);
    return given === undefined ? [before] : [before, Buffer.from(textOf(given)), raw.subarray(stop, next)];
  };

  return {
    chunk(bytes) {
      held.append(bytes);
      const raw = held.view();
      const parts: Uint8Array[] = [];
      let { lineBegin, afterCr } = place;
      let begin = 0;
      for (let at = place.searched; at < raw.length; at++) {
        const byte = raw[at];
        if (byte !== lf && byte !== cr) {
          afterCr = false;
          continue;
        }
        if (byte === lf && afterCr) {
          // The second half of a CRLF. Behind an event it goes by itself: the event has left with the CR.
          if (begin === at) {
            parts.push(raw.subarray(at, at + 1));
            begin = at + 1;
          }
        } else if (lineBegin === at) {
          parts.push(...edited(raw, begin, at, at + 1));
          begin = at + 1;
        }
        lineBegin = at + 1;
        afterCr = byte === cr;
      }
      assertFits(raw.length - begin);
      place.searched = raw.length - begin;
      place.lineBegin = lineBegin - begin;
      place.afterCr = afterCr;
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

/** What a client gets as the event's data: its `data` lines, joined by LF. Undefined when it has none. */
export function dataOf(event: StreamEvent): string | undefined {
  const lines = event.filter(({ name }) => name === "data").map(({ value }) => value);
  return lines.length === 0 ? undefined : lines.join("\n");
}

/** The event with other data, where the first of its `data` lines stands; at the end when it has none. */
export function withData(event: StreamEvent, data: string): StreamEvent {
  const lines = data.split(/\r\n|\r|\n/).map((value): EventField => ({ name: "data", value }));
  const at = event.findIndex(({ name }) => name === "data");
  const others = (part: StreamEvent): StreamEvent => part.filter(({ name }) => name !== "data");
  return at === -1 ? [...event, ...lines] : [...event.slice(0, at), ...lines, ...others(event.slice(at))];
}

/** Bytes that are no UTF-8 have become U+FFFD before, as they do at the client. */
function fieldsOf(text: string): StreamEvent {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== "");
  return lines.map((line) => {
    const colon = line.indexOf(":");
    if (colon === -1) return { name: line, value: "" };
    const value = line.slice(colon + 1);
    return { name: line.slice(0, colon), value: value.startsWith(" ") ? value.slice(1) : value };
  });
}

function textOf(event: StreamEvent): string {
  return event
    .map(({ name, value }) => {
      if (/[\r\n:]/.test(name) || /[\r\n]/.test(value)) throw new TypeError("a field of an event is one line, and its name has no colon");
      return `${name}: ${value}\n`;
    })
    .join("");
}
