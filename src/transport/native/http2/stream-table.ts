import type { NativeLimits } from "../limits.ts";
import { ClosedStreams } from "./closed-streams.ts";
import { type Memory, MemoryShare, streamBytes } from "./memory.ts";
import { OpenStreams } from "./open-streams.ts";
import type { Output } from "./output.ts";
import { ConnectionError, ErrorCode } from "./protocol.ts";
import { Http2Stream, type StreamHost } from "./stream.ts";

/** What a stream may cost, as far as the table looks after it. */
export type StreamLimits = Pick<
  NativeLimits,
  | "streamsMax"
  | "streamWindowBytes"
  | "sendHighMarkBytes"
  | "writtenHighMarkBytes"
  | "writtenMaxBytes"
  | "heldMessagesMax"
  | "waitingMessagesMax"
>;

export interface StreamTableHost {
  /** Asks for `attend` soon. */
  wake(): void;
  /** The connection cannot go on. */
  fail(error: ConnectionError): void;
}

/** The open streams of a connection, and what they share. */
export class StreamTable implements StreamHost {
  readonly output: Output;
  readonly streamWindowBytes: number;
  readonly sendHighMarkBytes: number;
  blocked = false;
  readonly #host: StreamTableHost;
  readonly #limits: StreamLimits;
  readonly #messageBytesMax: number;
  readonly #open = new OpenStreams();
  readonly #closed = new ClosedStreams();
  /** Streams that have something to send and a window for it, in the order of their turns. */
  readonly #waiting = new Set<Http2Stream>();
  #attention: Http2Stream[] = [];
  #waitingBytes = 0;
  #heldBytes = 0;
  #untakenBytes = 0;
  readonly #memory: MemoryShare;

  constructor(output: Output, limits: StreamLimits, messageBytesMax: number, memory: Memory, host: StreamTableHost) {
    this.output = output;
    this.streamWindowBytes = limits.streamWindowBytes;
    this.sendHighMarkBytes = limits.sendHighMarkBytes;
    this.#limits = limits;
    this.#messageBytesMax = messageBytesMax;
    this.#memory = new MemoryShare(memory);
    this.#host = host;
  }

  get size(): number {
    return this.#open.size;
  }

  get(streamId: number): Http2Stream | undefined {
    return this.#open.get(streamId);
  }

  /** How a stream that is not open has ended. */
  howClosed(streamId: number): "by-us" | "by-peer" | "unknown" {
    return this.#closed.how(streamId);
  }

  /** @param headBytes of the request's fields. Returns undefined when there is no room for another stream. */
  open(streamId: number, contentLength: number, headBytes: number): Http2Stream | undefined {
    if (this.#open.size >= this.#limits.streamsMax || !this.#memory.hasRoom) return undefined;
    // The kernel keeps the fields as text, of which a character may take two bytes.
    const keptBytes = streamBytes + 2 * headBytes;
    const stream = new Http2Stream(streamId, this, contentLength, keptBytes);
    this.#memory.changed(keptBytes);
    this.#open.add(stream);
    return stream;
  }

  /** A stream is reset, or was closed and is closed again. */
  close(streamId: number, how: "by-us" | "by-peer"): void {
    const stream = this.#open.get(streamId);
    this.#closed.ended(streamId, how);
    if (stream === undefined) return;
    this.#forget(stream);
    stream.lose();
  }

  closeAll(): void {
    for (const stream of this.#open.all()) stream.lose();
    this.#open.clear();
    this.#waiting.clear();
    this.attend();
    this.#memory.close();
  }

  /** So many bytes have been written that the peer has not taken. False when it must not be given more. */
  untaken(bytes: number): boolean {
    this.#memory.changed(bytes - this.#untakenBytes);
    this.#untakenBytes = bytes;
    this.blocked = bytes > this.#limits.writtenHighMarkBytes;
    return !this.blocked || (bytes <= this.#limits.writtenMaxBytes && this.#memory.hasRoom);
  }

  /** The window of each stream changes with the peer's settings. False when one becomes larger than it may be. */
  sendWindowsChanged(bytes: number): boolean {
    for (const stream of this.#open.all()) if (!stream.sendWindowChanged(bytes)) return false;
    return true;
  }

  /** Sends what waits, a frame of each stream in turn, as far as the connection's window and the socket take it. */
  pump(): void {
    if (this.blocked) return;
    for (const stream of this.#waiting) {
      if (this.output.window <= 0 || this.output.bytes > this.#limits.writtenHighMarkBytes) return;
      this.#waiting.delete(stream);
      // Behind the others: a set is walked in the order of what is added, also meanwhile.
      if (stream.pump()) this.#waiting.add(stream);
    }
  }

  /** Makes the calls that streams owe their receivers. */
  attend(): void {
    for (let index = 0; index < this.#attention.length; index++) this.#attention[index]?.attend();
    if (this.#attention.length > 0) this.#attention = [];
  }

  /** Whether `pump` would send something. */
  get canPump(): boolean {
    return this.#waiting.size > 0 && this.output.window > 0 && !this.blocked;
  }

  waits(stream: Http2Stream): void {
    this.#waiting.add(stream);
    if (!this.blocked && this.output.window > 0) this.#host.wake();
  }

  finished(stream: Http2Stream, how: "by-us" | "by-peer"): void {
    this.#closed.ended(stream.id, how);
    this.#forget(stream);
    this.attendSoon(stream);
  }

  attendSoon(stream: Http2Stream): void {
    this.#attention.push(stream);
    this.#host.wake();
  }

  waitingChanged(bytes: number): void {
    this.#waitingBytes += bytes;
    this.#memory.changed(bytes);
    if (bytes < 0 || (this.#waitingBytes <= this.#limits.waitingMessagesMax * this.#messageBytesMax && this.#memory.hasRoom)) return;
    this.#host.fail(new ConnectionError(ErrorCode.enhanceYourCalm, "answers are not taken"));
  }

  holdChanged(bytes: number): boolean {
    this.#heldBytes += bytes;
    this.#memory.changed(bytes);
    return bytes < 0 || (this.#heldBytes <= this.#limits.heldMessagesMax * this.#messageBytesMax && this.#memory.hasRoom);
  }

  #forget(stream: Http2Stream): void {
    this.#open.delete(stream.id);
    this.#waiting.delete(stream);
    this.#memory.changed(-stream.keptBytes);
  }
}
