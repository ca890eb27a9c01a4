import fc from "fast-check";
import { type BodyEditor, editing } from "../../../policies/lib/streams/editor.ts";

/** What became of a body that went through editors. */
export interface Edited {
  readonly bytes: Buffer;
  /** What each chunk gave, and last what the end gave. */
  readonly given: readonly string[];
  /** Why it was aborted; undefined when it came to its end. */
  readonly reason: string | undefined;
}

/** Sends chunks through editors as the engine does: each chunk is a copy that is overwritten once it is done with. */
export function edited(editors: readonly BodyEditor[], chunks: readonly Uint8Array[]): Edited {
  const reasons: string[] = [];
  const transform = editing({ abort: (reason) => reasons.push(reason) }, ...editors);
  const given: Buffer[] = [];
  for (const chunk of chunks) {
    const own = Buffer.from(chunk);
    given.push(Buffer.from(bytesOf(transform.chunk(own))));
    own.fill(0x23);
  }
  given.push(Buffer.from(bytesOf(transform.end())));
  if (reasons.length > 1) throw new Error("aborted twice");
  return { bytes: Buffer.concat(given), given: given.map((part) => part.toString("latin1")), reason: reasons[0] };
}

/** The body cut at these places. */
export function cutAt(body: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (body.length + 1)), body.length].sort((left, right) => left - right);
  return places.slice(1).flatMap((place, index) => {
    const part = body.subarray(places[index], place);
    return part.length === 0 ? [] : [part];
  });
}

/** Places to cut at, for {@link cutAt}: none, some, or so many that the chunks are single bytes. */
export const cuts = fc.oneof(fc.array(fc.nat(500), { maxLength: 8 }), fc.constant(Array.from({ length: 500 }, (_, place) => place)));

function bytesOf(given: unknown): Uint8Array {
  if (given === undefined) return new Uint8Array();
  if (given instanceof Uint8Array) return given;
  throw new TypeError("an editor answers at once, with bytes or nothing");
}
