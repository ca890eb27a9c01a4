import { ConnectionError, ErrorCode, framePayloadBytesMax, Setting, windowBytesMax } from "./protocol.ts";

/** What the settings of a client mean for this server; undefined where a frame says nothing about it. */
export interface PeerSettings {
  readonly headerTableBytes: number | undefined;
  readonly streamWindowBytes: number | undefined;
}

/**
 * Reads one SETTINGS frame (RFC 9113 6.5). Of several values for one setting the last counts, so that a long frame costs no more than a short
 * one; of the header table's sizes the smallest, which is the one that must be acknowledged.
 *
 * @throws ConnectionError
 */
export function readSettings(bytes: Buffer, start: number, end: number): PeerSettings {
  let headerTableBytes: number | undefined;
  let streamWindowBytes: number | undefined;
  if ((end - start) % 6 !== 0) throw new ConnectionError(ErrorCode.frameSizeError, "settings are of six bytes each");
  for (let at = start; at < end; at += 6) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
      case Setting.headerTableSize:
        headerTableBytes = Math.min(value, headerTableBytes ?? value);
        break;
      case Setting.enablePush:
        if (value > 1) throw new ConnectionError(ErrorCode.protocolError, "ENABLE_PUSH is 0 or 1");
        break;
      case Setting.initialWindowSize:
        if (value > windowBytesMax) throw new ConnectionError(ErrorCode.flowControlError, "INITIAL_WINDOW_SIZE is too large");
        streamWindowBytes = value;
        break;
      case Setting.maxFrameSize:
        if (value < framePayloadBytesMax || value > 0xff_ff_ff)
          throw new ConnectionError(ErrorCode.protocolError, "MAX_FRAME_SIZE is out of range");
        break;
      default:
        // RFC 9113 6.5.2: what nobody knows is ignored.
        break;
    }
  }
  return { headerTableBytes, streamWindowBytes };
}
