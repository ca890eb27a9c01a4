import { ConnectionError, ErrorCode, Flag } from "./protocol.ts";

/** Where the payload of a DATA or HEADERS frame starts: behind the length of its padding, when it has one (RFC 9113 6.1). */
export function payloadStart(flags: number, start: number, end: number): number {
  if ((flags & Flag.padded) === 0) return start;
  if (start === end) throw new ConnectionError(ErrorCode.frameSizeError, "a padded frame without the length of its padding");
  return start + 1;
}

/** Where it ends: before its padding. */
export function payloadEnd(flags: number, bytes: Buffer, start: number, end: number): number {
  if ((flags & Flag.padded) === 0) return end;
  const length = bytes[start] ?? 0;
  if (length > end - start - 1) throw new ConnectionError(ErrorCode.protocolError, "more padding than there is room");
  return end - length;
}
