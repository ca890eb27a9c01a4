import { HpackError, type HpackTables } from "../hpack/hpack-decoder.ts";
import type { NativeLimits } from "../limits.ts";
import { FrameReader } from "./frame-reader.ts";
import { type AcceptRequest, IncomingFrames } from "./incoming-frames.ts";
import type { Memory } from "./memory.ts";
import { Output } from "./output.ts";
import { ConnectionError, ErrorCode, initialWindowBytes, Setting, streamIdMax } from "./protocol.ts";
import { StreamTable } from "./stream-table.ts";

/** What a connection needs of its socket and its process. */
export interface ConnectionHost {
  /** Bytes for the peer, in order. Returns how many the system has not taken yet: `writable` follows when it has taken all. */
  write(buffers: readonly Buffer[]): number;
  /** Nothing more will be written; what was written may still arrive. */
  end(): void;
  /** Asks for one `turn`, outside of what runs now. */
  wake(): void;
  /** The connection is ended because of what the peer did. */
  gaveUp(code: ErrorCode, message: string): void;
  readonly monotonicMs: () => number;
}

export interface ConnectionParts {
  readonly host: ConnectionHost;
  readonly accept: AcceptRequest;
  readonly tables: HpackTables;
  readonly limits: NativeLimits;
  /** Shared with the other connections of the transport. */
  readonly memory: Memory;
  /** The largest message, bytes: what is kept and what waits is measured by it. */
  readonly messageBytesMax: number;
}

/**
 * The server's side of one HTTP/2 connection (RFC 9113), driven from outside: bytes go into `receive`, what is to be sent comes out of
 * `host.write`, once for all that one call has caused. It has no socket, no timer and no clock of its own.
 */
export class Connection {
  readonly #host: ConnectionHost;
  readonly #limits: NativeLimits;
  readonly #output: Output;
  readonly #streams: StreamTable;
  readonly #frames: IncomingFrames;
  readonly #reader: FrameReader;
  #closed = false;
  /** `announced`: the PING that shows that the peer knows is not answered yet. `said`: which stream is the last one. */
  #drain: "not" | "announced" | "said" = "not";
  /** Within `receive`, `turn` and the like: what is written is sent at their end. */
  #running = false;
  /** Found where nothing may be thrown. */
  #failure: ConnectionError | undefined;

  constructor({ host, limits, accept, tables, memory, messageBytesMax }: ConnectionParts) {
    this.#host = host;
    this.#limits = limits;
    const wake = (): void => {
      if (!this.#running) host.wake();
    };
    this.#output = new Output(wake);
    this.#streams = new StreamTable(this.#output, limits, messageBytesMax, memory, {
      wake,
      fail: (error) => {
        this.#failure ??= error;
        wake();
      },
    });
    this.#frames = new IncomingFrames({
      output: this.#output,
      streams: this.#streams,
      accept,
      tables,
      limits,
      monotonicMs: host.monotonicMs,
      pingAnswered: (opaque) => {
        if (opaque.equals(drainPing)) this.#sayLastStream();
      },
    });
    this.#reader = new FrameReader((type, flags, streamId, bytes, start, end) =>
      this.#frames.handle(type, flags, streamId, bytes, start, end),
    );
  }

  /** Says the server's settings; the first call. */
  start(): void {
    this.#run(() => {
      const { streamsMax, streamWindowBytes, headerListBytesMax, connectionWindowBytes } = this.#limits;
      this.#output.settings([
        [Setting.maxConcurrentStreams, streamsMax],
        [Setting.initialWindowSize, streamWindowBytes],
        [Setting.maxHeaderListSize, headerListBytesMax],
      ]);
      if (connectionWindowBytes > initialWindowBytes) this.#output.windowUpdate(0, connectionWindowBytes - initialWindowBytes);
    });
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Nothing is read or written any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Changes whenever the peer gets on with what it is in the middle of; undefined while it is in the middle of nothing. */
  get progress(): number | undefined {
    return this.#reader.incomplete || this.#frames.incomplete ? this.#frames.count : undefined;
  }

  /** What the peer has sent. */
  receive(bytes: Buffer): void {
    this.#run(() => this.#reader.read(bytes));
  }

  /** After `host.wake`. */
  turn(): void {
    this.#run(nothing);
  }

  /** Everything that was written has been taken. */
  writable(): void {
    this.#run(() => void this.#streams.untaken(0));
  }

  /**
   * No new streams, in two steps (RFC 9113 6.8): announced at once; which stream is the last one is said when the answer to a PING shows that
   * the peer knows, or at `endDrainWait`. Closed when the last one has ended.
   */
  drain(): void {
    if (this.#drain !== "not") return;
    this.#drain = "announced";
    this.#run(() => {
      this.#output.goaway(streamIdMax, ErrorCode.noError, "");
      this.#output.ping(0, drainPing);
    });
  }

  /** The answer to the PING of `drain` is waited for no longer. */
  endDrainWait(): void {
    if (this.#drain === "announced") this.#run(() => this.#sayLastStream());
  }

  /** Ends everything at once, and tells the peer why. */
  fail(code: ErrorCode, message: string): void {
    this.#run(() => {
      throw new ConnectionError(code, message);
    });
  }

  /** The socket is gone. */
  lost(): void {
    this.#close();
  }

  /** The one place from which frames are read and receivers are called. */
  #run(work: () => void): void {
    if (this.#closed) return;
    this.#running = true;
    try {
      work();
      this.#settle();
    } catch (error) {
      this.#giveUp(asConnectionError(error));
      if (!(error instanceof ConnectionError || error instanceof HpackError)) throw error;
    } finally {
      this.#running = false;
    }
  }

  #settle(): void {
    this.#streams.attend();
    if (this.#failure !== undefined) throw this.#failure;
    do {
      this.#streams.pump();
      this.#streams.attend();
      this.#flush();
    } while (this.#streams.canPump);
    if (this.#drain !== "said" || this.#streams.size > 0) return;
    this.#host.end();
    this.#close();
  }

  #flush(): void {
    if (this.#output.bytes === 0) return;
    if (!this.#streams.untaken(this.#host.write(this.#output.take())))
      throw new ConnectionError(ErrorCode.enhanceYourCalm, "answers are not taken");
  }

  #sayLastStream(): void {
    if (this.#drain !== "announced") return;
    this.#drain = "said";
    this.#frames.newStreams = "ignored";
    this.#output.goaway(this.#frames.lastStreamId, ErrorCode.noError, "");
  }

  #giveUp({ code, message }: ConnectionError): void {
    if (this.#closed) return;
    this.#output.goaway(this.#frames.lastStreamId, code, message);
    this.#host.write(this.#output.take());
    this.#host.end();
    this.#close();
    this.#host.gaveUp(code, message);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#running = true;
    this.#streams.closeAll();
  }
}

const nothing = (): void => {};
const drainPing = Buffer.from("draining");

function asConnectionError(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (error instanceof HpackError) return new ConnectionError(ErrorCode.compressionError, error.message);
  return new ConnectionError(ErrorCode.internalError, "internal error");
}
