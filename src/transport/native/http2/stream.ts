import { Buffer } from "node:buffer";
import type { SentField } from "../hpack/hpack-encoder.ts";
import type { Output } from "./output.ts";
import { ErrorCode, Flag, framePayloadBytesMax, windowBytesMax } from "./protocol.ts";

/** What stands behind a stream. Calls come in order, never overlap, and never come from within a call of the stream. */
export interface StreamReceiver {
  /** A piece of the body, `bytes[start, end)`; what was done with it is told by `consumed`. */
  data(bytes: Buffer, start: number, end: number): void;
  /** The peer sends nothing more. */
  ended(): void;
  /** After a `write` that returned false: there is room again. */
  writable(): void;
  /** After `callSoon`. */
  called(): void;
  /** Always the last call, and always made. */
  gone(): void;
}

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly output: Output;
  readonly streamWindowBytes: number;
  readonly sendHighMarkBytes: number;
  /** The peer is behind with reading: answers wait in their streams. */
  readonly blocked: boolean;
  /** So many bytes more, or less, wait in streams. */
  waitingChanged(bytes: number): void;
  /** So many bytes more, or less, are kept of what was received. False: there is no room for them. */
  holdChanged(bytes: number): boolean;
  /** The stream could send if the connection could. */
  waits(stream: Http2Stream): void;
  /** Its end has been written; `by-peer`: the peer had ended before. */
  finished(stream: Http2Stream, how: "by-us" | "by-peer"): void;
  /** Calls `attend` when nothing else is being called, and then writes. */
  attendSoon(stream: Http2Stream): void;
}

/** One request and its response (RFC 9113, section 5). */
export class Http2Stream {
  readonly id: number;
  readonly host: StreamHost;
  /** What it is counted as for as long as it is open, besides what it holds and what waits, bytes. */
  readonly keptBytes: number;
  /** `open`: both may send. `peer-ended`: it sends nothing more. `finished`: our end is written. `lost`: reset, or the connection is gone. */
  state: "open" | "peer-ended" | "finished" | "lost" = "open";
  /** Our end is asked for; it may wait behind what is queued. */
  ending = false;
  receiver: StreamReceiver = nobody;
  #sendWindow: number;
  #receiveWindow: number;
  #consumed = 0;
  /** Bytes of the body that are still to come; -1 when nobody has said. */
  #announced: number;
  #queue: Buffer[] = noQueue;
  #queuedBytes = 0;
  #trailers: readonly SentField[] = noFields;
  #owesWritable = false;
  #owesCall = false;
  #gone = false;

  constructor(id: number, host: StreamHost, contentLength: number, keptBytes: number) {
    this.id = id;
    this.host = host;
    this.keptBytes = keptBytes;
    this.#sendWindow = host.output.streamWindow;
    this.#receiveWindow = host.streamWindowBytes;
    this.#announced = contentLength;
  }

  /** Sends header fields before a body. Like all that sends: nothing on a stream that is lost. */
  respond(fields: readonly SentField[]): void {
    if (this.state === "lost") return;
    this.host.output.headers(this.id, 0, fields);
  }

  /** Sends or queues `head` and `body`. False when more is queued than should be: `writable` follows. */
  write(head: Uint8Array, body: Uint8Array): boolean {
    if (this.state === "lost") return true;
    const { output } = this.host;
    const length = head.length + body.length;
    const room = Math.min(this.#sendWindow, output.window, framePayloadBytesMax);
    if (length <= room && this.#queue.length === 0 && !this.host.blocked) {
      this.#spend(length);
      output.data(this.id, 0, head, body, 0, body.length);
      return true;
    }
    if (this.#queue === noQueue) this.#queue = [];
    this.#queue.push(Buffer.concat([head, body], length));
    this.#queuedChanged(length);
    this.#wait();
    if (this.#queuedBytes <= this.host.sendHighMarkBytes) return true;
    this.#owesWritable = true;
    return false;
  }

  /** Ends with these fields when everything that was written before has been sent; without fields with the body. */
  end(trailers: readonly SentField[]): void {
    if (this.state === "lost") return;
    this.ending = true;
    this.#trailers = trailers;
    if (this.#queue.length === 0) this.#finish();
  }

  /** Ends with these fields now: what is queued is dropped. */
  endNow(trailers: readonly SentField[]): void {
    this.#dropQueue();
    this.end(trailers);
  }

  /** So many bytes that were received need no room any more: the peer may send as many again. */
  consumed(bytes: number): void {
    if (bytes === 0 || this.state !== "open") return;
    this.#consumed += bytes;
    if (this.#consumed * 2 < this.host.streamWindowBytes) return;
    this.host.output.windowUpdate(this.id, this.#consumed);
    this.#receiveWindow += this.#consumed;
    this.#consumed = 0;
  }

  /** Asks for `called`. */
  callSoon(): void {
    this.#owesCall = true;
    this.host.attendSoon(this);
  }

  /** Sends one frame of what is queued. True when it could send more now. */
  pump(): boolean {
    const [first] = this.#queue;
    if (first === undefined || this.#sendWindow <= 0) return false;
    const { output } = this.host;
    const length = Math.min(first.length, this.#sendWindow, output.window, framePayloadBytesMax);
    this.#spend(length);
    output.data(this.id, 0, noBytes, first, 0, length);
    if (length === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(length);
    this.#queuedChanged(-length);
    if (this.#owesWritable && this.#queuedBytes <= this.host.sendHighMarkBytes) this.host.attendSoon(this);
    if (this.#queue.length > 0) return this.#sendWindow > 0;
    if (this.ending) this.#finish();
    return false;
  }

  /** What the peer takes changes by so much. False when that is more than a window can be. */
  sendWindowChanged(bytes: number): boolean {
    this.#sendWindow += bytes;
    if (this.#sendWindow > windowBytesMax) return false;
    if (this.#queue.length > 0) this.#wait();
    return true;
  }

  /** Part of a frame of `frameBytes`, padding included, that has arrived. What is wrong with it: more than the stream may send, or than it said. */
  received(bytes: Buffer, start: number, end: number, frameBytes: number): ErrorCode | undefined {
    this.#receiveWindow -= frameBytes;
    if (this.#receiveWindow < 0) return ErrorCode.flowControlError;
    if (this.#announced >= 0) {
      this.#announced -= end - start;
      if (this.#announced < 0) return ErrorCode.protocolError;
    }
    this.consumed(frameBytes - (end - start));
    this.receiver.data(bytes, start, end);
    return undefined;
  }

  /** The peer has ended. False when that is not where it said. */
  peerEnded(): boolean {
    if (this.#announced > 0) return false;
    if (this.state === "open") this.state = "peer-ended";
    this.receiver.ended();
    return true;
  }

  /** The peer sends nothing more, and takes nothing more either. */
  endedByReset(): void {
    const { state } = this;
    this.#dropQueue();
    this.state = "lost";
    if (state === "open") this.receiver.ended();
  }

  /** The stream is no more. */
  lose(): void {
    this.#dropQueue();
    if (this.state !== "finished") this.state = "lost";
    this.#tellGone();
  }

  /** Makes the calls that are owed. */
  attend(): void {
    if (this.state === "finished") this.#tellGone();
    if (this.#gone) return;
    if (this.#owesWritable && this.#queuedBytes <= this.host.sendHighMarkBytes) {
      this.#owesWritable = false;
      this.receiver.writable();
    }
    if (this.#owesCall) {
      this.#owesCall = false;
      this.receiver.called();
    }
  }

  #finish(): void {
    const { output } = this.host;
    if (this.#trailers.length > 0) output.headers(this.id, Flag.endStream, this.#trailers);
    else output.data(this.id, Flag.endStream, noBytes, noBytes, 0, 0);
    const by = this.state === "peer-ended" ? "by-peer" : "by-us";
    this.state = "finished";
    this.host.finished(this, by);
  }

  #tellGone(): void {
    if (this.#gone) return;
    this.#gone = true;
    const { receiver } = this;
    this.receiver = nobody;
    receiver.gone();
  }

  #spend(bytes: number): void {
    this.#sendWindow -= bytes;
    this.host.output.window -= bytes;
  }

  #wait(): void {
    if (this.#sendWindow > 0) this.host.waits(this);
  }

  #queuedChanged(bytes: number): void {
    this.#queuedBytes += bytes;
    this.host.waitingChanged(bytes);
  }

  #dropQueue(): void {
    if (this.#queue.length === 0) return;
    this.#queue = noQueue;
    this.#queuedChanged(-this.#queuedBytes);
  }
}

const nobody: StreamReceiver = { data: () => {}, ended: () => {}, writable: () => {}, called: () => {}, gone: () => {} };
const noBytes = Buffer.of();
const noFields: readonly SentField[] = [];
/** Of most streams: nothing is ever queued. Never written to. */
const noQueue: Buffer[] = [];
