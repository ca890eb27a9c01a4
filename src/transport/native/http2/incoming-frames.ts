import type { HeaderField } from "../hpack/header-field.ts";
import { HpackDecoder, type HpackTables } from "../hpack/hpack-decoder.ts";
import type { NativeLimits } from "../limits.ts";
import { type Allowances, createAllowances } from "./allowances.ts";
import { HeaderBlock } from "./header-block.ts";
import type { Output } from "./output.ts";
import { payloadEnd, payloadStart } from "./padding.ts";
import { readSettings } from "./peer-settings.ts";
import { ConnectionError, ErrorCode, Flag, FrameType, windowBytesMax } from "./protocol.ts";
import { isTrailers, type RequestHead, requestHead } from "./request-head.ts";
import type { Http2Stream, StreamReceiver } from "./stream.ts";
import type { StreamTable } from "./stream-table.ts";

/** Takes a request; what it returns is told of all that follows. */
export type AcceptRequest = (stream: Http2Stream, head: RequestHead) => StreamReceiver;

export interface IncomingFramesParts {
  readonly output: Output;
  readonly streams: StreamTable;
  readonly accept: AcceptRequest;
  readonly tables: HpackTables;
  readonly limits: NativeLimits;
  readonly monotonicMs: () => number;
  readonly pingAnswered: (opaque: Buffer) => void;
}

/** What the frames of a client do to its streams (RFC 9113, sections 5 and 6). What ends the connection is thrown as a ConnectionError. */
export class IncomingFrames {
  /** `ignored`: the peer has been told that they will be. */
  newStreams: "accepted" | "ignored" = "accepted";
  lastStreamId = 0;
  /** Frames that were read while no header block was open: what shows that a peer gets on. */
  count = 0;
  readonly #parts: IncomingFramesParts;
  readonly #hpack: HpackDecoder;
  readonly #allowances: Allowances;
  #greeted = false;
  #block: HeaderBlock | undefined;
  /** The last request's. */
  #fields: readonly HeaderField[] = [];
  #head: RequestHead | undefined;
  #consumed = 0;

  constructor(parts: IncomingFramesParts) {
    this.#parts = parts;
    this.#hpack = new HpackDecoder(parts.tables, parts.limits);
    this.#allowances = createAllowances(parts.limits, parts.monotonicMs);
  }

  /** Whether the peer is in the middle of something that has more than one frame. */
  get incomplete(): boolean {
    return !this.#greeted || this.#block !== undefined;
  }

  /** @throws ConnectionError, HpackError */
  handle(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (!this.#greeted) this.#greet(type, flags);
    if (this.#block === undefined) this.count++;
    else if (type !== FrameType.continuation || streamId !== this.#block.streamId) throw protocolError("a header block is interrupted");
    switch (type) {
      case FrameType.data:
        return this.#data(flags, streamId, bytes, start, end);
      case FrameType.headers:
        return this.#headers(flags, streamId, bytes, start, end);
      case FrameType.priority:
        return this.#priority(streamId, end - start);
      case FrameType.rstStream:
        return this.#rstStream(streamId, bytes, start, end);
      case FrameType.settings:
        return this.#settings(flags, streamId, bytes, start, end);
      case FrameType.pushPromise:
        throw protocolError("a client does not push");
      case FrameType.ping:
        return this.#ping(flags, streamId, bytes, start, end);
      case FrameType.goaway:
        return this.#goaway(streamId, end - start);
      case FrameType.windowUpdate:
        return this.#windowUpdate(streamId, bytes, start, end);
      case FrameType.continuation:
        return this.#continuation(flags, bytes, start, end);
      default:
        // RFC 9113 4.1: what nobody knows is ignored.
        this.#allowances.otherFrames.take();
    }
  }

  #greet(type: number, flags: number): void {
    if (type !== FrameType.settings || (flags & Flag.ack) !== 0) throw protocolError("the first frame is not SETTINGS");
    this.#greeted = true;
  }

  #data(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocolError("DATA on no stream");
    const frameBytes = end - start;
    const from = payloadStart(flags, start, end);
    const to = payloadEnd(flags, bytes, start, end);
    this.#reopenWindow(frameBytes);
    const last = (flags & Flag.endStream) !== 0;
    if (to - from < tinyBytes && !last) this.#allowances.pieces.take();
    const stream = this.#parts.streams.get(streamId);
    if (stream === undefined) return this.#lateFrame(streamId, last);
    if (stream.state !== "open") return this.#streamError(streamId, ErrorCode.streamClosed);
    const fault = stream.received(bytes, from, to, frameBytes);
    if (fault !== undefined) return this.#streamError(streamId, fault);
    if (last) this.#endOfPeer(stream);
  }

  /**
   * The window of the connection opens again as bytes come, so it is never used up: what is kept of them is bounded apart, and one slow stream stops
   * no other.
   */
  #reopenWindow(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed * 2 < this.#parts.limits.connectionWindowBytes) return;
    this.#parts.output.windowUpdate(0, this.#consumed);
    this.#consumed = 0;
  }

  #headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId % 2 === 0) throw protocolError("HEADERS on a stream that is no client's");
    let from = payloadStart(flags, start, end);
    const to = payloadEnd(flags, bytes, start, end);
    // Stream dependency and weight; RFC 9113 5.3.2 does without them.
    if ((flags & Flag.priority) !== 0) from += 5;
    if (from > to) throw protocolError("HEADERS without room for what it announces");
    if ((flags & Flag.endHeaders) !== 0) return this.#headerBlock(streamId, flags, bytes, from, to);
    this.#block = new HeaderBlock(streamId, flags, this.#parts.limits.headerBlockBytesMax);
    this.#block.add(bytes, from, to);
  }

  #continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === undefined) throw protocolError("CONTINUATION without HEADERS");
    if (end - start < tinyBytes) this.#allowances.pieces.take();
    block.add(bytes, start, end);
    if ((flags & Flag.endHeaders) === 0) return;
    this.#block = undefined;
    const whole = block.whole();
    this.#headerBlock(block.streamId, block.flags, whole, 0, whole.length);
  }

  /** Every block is decoded, whatever becomes of its stream: the tables of both sides must stay the same. */
  #headerBlock(streamId: number, flags: number, bytes: Buffer, start: number, end: number): void {
    const fields = this.#hpack.decode(bytes, start, end);
    const last = (flags & Flag.endStream) !== 0;
    const { streams } = this.#parts;
    const stream = streams.get(streamId);
    if (stream === undefined) {
      if (streamId <= this.lastStreamId) return this.#lateHeaders(streamId, last);
      if (this.newStreams === "ignored") return streams.close(streamId, "by-us");
      this.lastStreamId = streamId;
      return this.#request(streamId, fields, last);
    }
    if (stream.state !== "open") return this.#streamError(streamId, ErrorCode.streamClosed);
    if (!last || fields === "too-large" || !isTrailers(fields)) return this.#streamError(streamId, ErrorCode.protocolError);
    this.#endOfPeer(stream);
  }

  #request(streamId: number, fields: ReturnType<HpackDecoder["decode"]>, last: boolean): void {
    const { streams, accept } = this.#parts;
    if (fields === "too-large") return this.#streamError(streamId, ErrorCode.enhanceYourCalm);
    // The same list when the same block has come again.
    const head = fields === this.#fields ? this.#head : requestHead(fields);
    this.#fields = fields;
    this.#head = head;
    if (head === undefined) return this.#streamError(streamId, ErrorCode.protocolError);
    const stream = streams.open(streamId, head.contentLength, head.bytes);
    if (stream === undefined) return this.#streamError(streamId, ErrorCode.refusedStream);
    stream.receiver = accept(stream, head);
    if (last) this.#endOfPeer(stream);
  }

  #endOfPeer(stream: Http2Stream): void {
    if (!stream.peerEnded()) this.#streamError(stream.id, ErrorCode.protocolError);
  }

  #priority(streamId: number, length: number): void {
    this.#allowances.otherFrames.take();
    if (streamId === 0) throw protocolError("PRIORITY on no stream");
    if (length === 5) return;
    // A reset of what was never opened would be an error of ours.
    this.#assertNotIdle(streamId, "PRIORITY of another length than 5");
    this.#streamError(streamId, ErrorCode.frameSizeError);
  }

  #rstStream(streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#assertNotIdle(streamId, "RST_STREAM");
    if (end - start !== 4) throw new ConnectionError(ErrorCode.frameSizeError, "RST_STREAM of another length than 4");
    const { streams } = this.#parts;
    const stream = streams.get(streamId);
    if (stream !== undefined) this.#allowances.resets.take();
    // Behind our end it is Envoy's ordinary one: once for each stream that was served.
    else if (streams.howClosed(streamId) !== "by-us") this.#allowances.otherFrames.take();
    // Without an error it means that the peer sends nothing more: Envoy's way to say so.
    if (bytes.readUInt32BE(start) === ErrorCode.noError) stream?.endedByReset();
    streams.close(streamId, "by-peer");
  }

  #settings(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#allowances.settings.take();
    if (streamId !== 0) throw protocolError("SETTINGS on a stream");
    if ((flags & Flag.ack) !== 0) {
      if (end > start) throw new ConnectionError(ErrorCode.frameSizeError, "SETTINGS that acknowledge are empty");
      return;
    }
    const { headerTableBytes, streamWindowBytes } = readSettings(bytes, start, end);
    const { output, streams } = this.#parts;
    if (headerTableBytes !== undefined) output.hpack.tableSizeAllowed(headerTableBytes);
    if (streamWindowBytes !== undefined) {
      const change = streamWindowBytes - output.streamWindow;
      output.streamWindow = streamWindowBytes;
      if (!streams.sendWindowsChanged(change)) throw new ConnectionError(ErrorCode.flowControlError, "a stream's window is too large");
    }
    output.settingsAck();
  }

  #ping(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#allowances.pings.take();
    if (streamId !== 0) throw protocolError("PING on a stream");
    if (end - start !== 8) throw new ConnectionError(ErrorCode.frameSizeError, "PING of another length than 8");
    const opaque = bytes.subarray(start, end);
    if ((flags & Flag.ack) === 0) this.#parts.output.ping(Flag.ack, opaque);
    else this.#parts.pingAnswered(opaque);
  }

  #goaway(streamId: number, length: number): void {
    this.#allowances.otherFrames.take();
    if (streamId !== 0) throw protocolError("GOAWAY on a stream");
    if (length < 8) throw new ConnectionError(ErrorCode.frameSizeError, "GOAWAY of less than 8 bytes");
  }

  #windowUpdate(streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#allowances.otherFrames.take();
    if (end - start !== 4) throw new ConnectionError(ErrorCode.frameSizeError, "WINDOW_UPDATE of another length than 4");
    const increment = bytes.readUInt32BE(start) & windowBytesMax;
    const { output, streams } = this.#parts;
    if (streamId === 0) {
      if (increment === 0) throw protocolError("WINDOW_UPDATE of nothing");
      output.window += increment;
      if (output.window > windowBytesMax) throw new ConnectionError(ErrorCode.flowControlError, "the connection's window is too large");
      return;
    }
    this.#assertNotIdle(streamId, "WINDOW_UPDATE");
    if (increment === 0) return this.#streamError(streamId, ErrorCode.protocolError);
    if (streams.get(streamId)?.sendWindowChanged(increment) === false) this.#streamError(streamId, ErrorCode.flowControlError);
  }

  /** A piece of a body on a stream that is not open. */
  #lateFrame(streamId: number, last: boolean): void {
    this.#assertNotIdle(streamId, "DATA");
    const { streams } = this.#parts;
    const how = streams.howClosed(streamId);
    if (how === "by-peer") throw new ConnectionError(ErrorCode.streamClosed, "a frame on a stream that its sender has ended");
    if (how === "unknown") return this.#streamError(streamId, ErrorCode.streamClosed);
    if (last) streams.close(streamId, "by-peer");
  }

  #lateHeaders(streamId: number, last: boolean): void {
    if (this.newStreams === "accepted" && this.#parts.streams.howClosed(streamId) === "unknown") {
      throw protocolError("a stream with a smaller id than the one before");
    }
    this.#lateFrame(streamId, last);
  }

  #assertNotIdle(streamId: number, what: string): void {
    const idle = streamId > this.lastStreamId && this.newStreams === "accepted";
    // An even id would be that of a stream which this side has opened.
    if (streamId % 2 === 0 || idle) throw protocolError(`${what} on a stream that is not open`);
  }

  /** RFC 9113 5.4.2. Whoever provokes resets pays for them as for its own. */
  #streamError(streamId: number, code: ErrorCode): void {
    this.#allowances.resets.take();
    this.#parts.output.reset(streamId, code);
    this.#parts.streams.close(streamId, "by-us");
  }
}

/** A piece of a body or of a header block that is smaller brings next to nothing, bytes: less than any message of ext_proc. */
const tinyBytes = 8;

const protocolError = (message: string): ConnectionError => new ConnectionError(ErrorCode.protocolError, message);
