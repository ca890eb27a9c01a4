import type { Socket } from "node:net";
import type { CutOffReason, TransportOptions } from "../../kernel/transport.ts";
import type { HpackTables } from "./hpack/hpack-decoder.ts";
import { Connection, type ConnectionHost } from "./http2/connection.ts";
import type { AcceptRequest } from "./http2/incoming-frames.ts";
import type { Memory } from "./http2/memory.ts";
import { ErrorCode } from "./http2/protocol.ts";
import type { NativeLimits } from "./limits.ts";

export interface SocketConnectionParts {
  readonly accept: AcceptRequest;
  readonly tables: HpackTables;
  readonly limits: NativeLimits;
  readonly memory: Memory;
  readonly messageBytesMax: number;
  readonly monotonicMs: () => number;
  readonly cutOff: NonNullable<TransportOptions["cutOff"]>;
}

/** A connection and its socket, and how long they may take for things. */
export class SocketConnection implements ConnectionHost {
  readonly monotonicMs: () => number;
  readonly #socket: Socket;
  readonly #limits: NativeLimits;
  readonly #cutOff: SocketConnectionParts["cutOff"];
  readonly #connection: Connection;
  #woken = false;
  #receivedInARow = 0;
  #progress: number | undefined = 0;
  #progressAtMs: number;
  #usedAtMs: number;
  #takenBytes = 0;
  #takenAtMs: number;
  #drainingSinceMs: number | undefined;
  #endedAtMs: number | undefined;

  constructor(socket: Socket, { accept, tables, limits, memory, messageBytesMax, monotonicMs, cutOff }: SocketConnectionParts) {
    this.#socket = socket;
    this.#limits = limits;
    this.#cutOff = cutOff;
    this.monotonicMs = monotonicMs;
    const nowMs = monotonicMs();
    this.#progressAtMs = nowMs;
    this.#usedAtMs = nowMs;
    this.#takenAtMs = nowMs;
    this.#connection = new Connection({ host: this, accept, tables, limits, memory, messageBytesMax });
    socket.setNoDelay(true);
    // Notices a peer whose machine is gone, without a frame of ours.
    socket.setKeepAlive(true, keepAliveMs);
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("drain", () => this.#connection.writable());
    // What is wrong with a socket is said by its closing.
    socket.on("error", () => {});
    socket.on("close", () => this.#connection.lost());
    this.#connection.start();
  }

  /** The event loop would read one socket up to 32 times before it looks at another: whoever sends much is read no further before the others were. */
  #receive(bytes: Buffer): void {
    this.#connection.receive(bytes);
    this.#receivedInARow += bytes.length;
    if (this.#receivedInARow < bytesInARow) return;
    this.#receivedInARow = 0;
    this.#socket.pause();
    setImmediate(() => this.#socket.resume());
  }

  write(buffers: readonly Buffer[]): number {
    const socket = this.#socket;
    const [only] = buffers;
    if (only === undefined) return 0;
    if (buffers.length === 1) {
      socket.write(only);
      return socket.writableLength;
    }
    socket.cork();
    for (const buffer of buffers) socket.write(buffer);
    socket.uncork();
    return socket.writableLength;
  }

  end(): void {
    this.#endedAtMs ??= this.monotonicMs();
    this.#socket.end();
  }

  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    setImmediate(() => {
      this.#woken = false;
      this.#connection.turn();
    });
  }

  gaveUp(code: ErrorCode, detail: string): void {
    this.#cutOff({ reason: reasonOf(code), detail });
  }

  /** No new streams. The socket ends with the last one. */
  drain(): void {
    this.#drainingSinceMs ??= this.monotonicMs();
    this.#connection.drain();
  }

  /** Since when it has had no streams, on the monotonic clock; undefined while it has some. */
  get idleSinceMs(): number | undefined {
    return this.#connection.streams > 0 ? undefined : this.#usedAtMs;
  }

  /** Ends at once, because another one needs its place. */
  giveWay(): void {
    this.#connection.fail(ErrorCode.noError, "there are too many connections");
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Looks whether something takes too long. To be called about once a second. */
  tick(): void {
    const nowMs = this.monotonicMs();
    const { incompleteMs, idleMs, stalledMs, lingerMs, drainPingMs } = this.#limits;
    if (this.#endedAtMs !== undefined) {
      if (nowMs - this.#endedAtMs > lingerMs) this.destroy();
      return;
    }
    if (this.#drainingSinceMs !== undefined && nowMs - this.#drainingSinceMs > drainPingMs) this.#connection.endDrainWait();
    if (this.#connection.streams > 0) this.#usedAtMs = nowMs;
    else if (nowMs - this.#usedAtMs > idleMs) this.drain();
    const { progress } = this.#connection;
    if (progress === undefined || progress !== this.#progress) this.#progressAtMs = nowMs;
    this.#progress = progress;
    if (nowMs - this.#progressAtMs > incompleteMs) this.#connection.fail(ErrorCode.settingsTimeout, "what was begun is not ended");
    this.#lookForStall(nowMs, stalledMs);
  }

  #lookForStall(nowMs: number, stalledMs: number): void {
    const { writableLength, bytesWritten } = this.#socket;
    // Not how many bytes wait: whoever takes nothing can ask for one more now and then.
    const takenBytes = bytesWritten - writableLength;
    if (writableLength === 0 || takenBytes !== this.#takenBytes) this.#takenAtMs = nowMs;
    this.#takenBytes = takenBytes;
    if (nowMs - this.#takenAtMs <= stalledMs) return;
    this.destroy();
    this.#cutOff({ reason: "slow", detail: "answers are not taken" });
  }
}

function reasonOf(code: ErrorCode): CutOffReason {
  if (code === ErrorCode.enhanceYourCalm) return "bound";
  // It has only been in the way.
  if (code === ErrorCode.noError) return "connections";
  return code === ErrorCode.settingsTimeout ? "slow" : "protocol";
}

const keepAliveMs = 60_000;

/** What is read of one socket before it is another's turn: what Node reads at once, bytes. */
const bytesInARow = 64 * 1024;
