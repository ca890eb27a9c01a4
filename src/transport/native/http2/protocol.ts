/** Numbers of RFC 9113. */

/** Section 6. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Section 7. */
export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Section 6.5.2. */
export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** What a client sends first of all (3.4). */
export const clientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** The header of each frame, bytes (4.1). */
export const frameHeaderBytes = 9;

/** The payload that any peer takes, bytes (4.2); we send and take no more. */
export const framePayloadBytesMax = 16_384;

/** A window's size before anybody says otherwise, bytes (6.9.2). */
export const initialWindowBytes = 65_535;

/** A window may not be larger (6.9.1). */
export const windowBytesMax = 2 ** 31 - 1;

/** The largest id of a stream; a GOAWAY with it only announces the next one (6.8). */
export const streamIdMax = 2 ** 31 - 1;

/** Ends the connection: the peer gets a GOAWAY with the code (5.4.1). */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
