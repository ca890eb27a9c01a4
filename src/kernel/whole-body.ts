/** Whole bodies between Envoy and the steps that wait for them: what may be had, how it is read, and how it leaves again. */
import type { FailureCode } from "../errors.ts";
import { aboutTheBytes } from "../worker/body-store.ts";
import type { HeaderChanges } from "../worker/header-store.ts";
import type { ReceivedHeaders } from "../worker/received-headers.ts";
import type { Continued } from "../worker/run-outcome.ts";
import { type ContentCoding, contentCoding, declaredLength, decodeGzip, encodeGzip, mayHoldSeveralMembers } from "./content-coding.ts";
import { receivedText } from "./received-messages.ts";

export type Direction = "request" | "response";

/** A body that a step waits for, as far as its headers tell. */
export interface ExpectedBody {
  readonly direction: Direction;
  /** The headers as they were received. */
  readonly headers: ReceivedHeaders;
  readonly coding: Exclude<ContentCoding, "unknown">;
  /** The largest that it may be, as it comes and decoded, bytes. */
  readonly bytesMax: number;
}

/** A body that has come. */
export interface ReadBody {
  /** As it came. */
  readonly raw: Uint8Array;
  /** Without its content coding: what steps see. */
  readonly decoded: Uint8Array;
}

/** What goes to Envoy. */
export interface WrittenBody {
  readonly changes: HeaderChanges;
  /** Undefined when the bytes stay as they came. */
  readonly bytes: Uint8Array | undefined;
}

/** Why a body cannot be had or read: the code of the failure that the client is told. */
export interface BodyFault {
  readonly fault: FailureCode;
  /** For the log. */
  readonly cause?: Error;
}

export function expectBody(direction: Direction, headers: ReceivedHeaders, bytesMax: number): ExpectedBody | BodyFault {
  const coding = contentCoding(headers);
  if (coding === "unknown") return { fault: `${direction}-coding` };
  if ((declaredLength(headers) ?? 0) > bytesMax) return { fault: `${direction}-too-large` };
  return { direction, headers, coding, bytesMax };
}

/** Undoes the content coding. Rejects never: what is wrong with the bytes is a fault. */
export function readBody(
  { direction, coding, bytesMax }: ExpectedBody,
  raw: Uint8Array,
): ReadBody | BodyFault | Promise<ReadBody | BodyFault> {
  if (raw.length > bytesMax) return { fault: `${direction}-too-large` };
  if (coding === "identity") return { raw, decoded: raw };
  return decodeGzip(raw, bytesMax).then(
    (decoded) => ({ raw, decoded }),
    (cause: unknown) => ({ fault: isTooLarge(cause) ? (`${direction}-too-large` as const) : (`${direction}-coding` as const) }),
  );
}

/** What the steps saw last, in the coding that it came in. A fault when a step has set a body that is larger than the limit. */
export function writeBody(expected: ExpectedBody, read: ReadBody, result: Continued): WrittenBody | BodyFault | Promise<WrittenBody> {
  const { coding, bytesMax } = expected;
  if (result.body !== undefined && result.body.length > bytesMax) {
    return { fault: "policy-failed", cause: new RangeError("the body that a step has set is larger than the body limit") };
  }
  if (coding === "identity") return written(expected, result, result.body);
  // Whoever changes content-encoding answers for it: the bytes go as the steps saw them.
  if (result.touched("content-encoding")) return written(expected, result, result.body ?? read.decoded);
  // Some readers stop behind the first member, and would see less than the steps did. A part of a whole is not transformed (RFC 9110 15.3.7).
  const again = result.body ?? (mayHoldSeveralMembers(read.raw) && !isPart(expected) ? read.decoded : undefined);
  return again === undefined ? written(expected, result, undefined) : encodeGzip(again).then((bytes) => written(expected, result, bytes));
}

function written({ headers }: ExpectedBody, { changes, touched }: Continued, bytes: Uint8Array | undefined): WrittenBody {
  if (bytes === undefined) return { changes, bytes };
  const stale = aboutTheBytes.filter((name) => headers.has(name) && !touched(name));
  // A stale length is request smuggling (measured), and Envoy answers 500 to one that does not fit. Where there was none the body is chunked.
  const length = headers.has("content-length") ? [{ name: "content-length", value: Buffer.from(String(bytes.length)), append: false }] : [];
  return { changes: { remove: [...changes.remove, ...stale], set: [...changes.set, ...length] }, bytes };
}

const isPart = ({ headers }: ExpectedBody): boolean => receivedText(headers, ":status") === "206";

const isTooLarge = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
