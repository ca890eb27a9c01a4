import type { NativeLimits } from "../limits.ts";

/** What an open stream is counted as before anything of its request is, bytes: what an exchange of five policies is allowed to take. */
export const streamBytes = 8 * 1024;

/** What the peers of one transport make it keep, all together. */
export class Memory {
  readonly bytesMax: number;
  /** What a connection may have of it whatever the others have. */
  readonly evenShareBytes: number;
  bytes = 0;

  constructor(
    { allStreamsMax, allMessagesMax, connectionsMax }: Pick<NativeLimits, "allStreamsMax" | "allMessagesMax" | "connectionsMax">,
    messageBytesMax: number,
  ) {
    this.bytesMax = allStreamsMax * streamBytes + allMessagesMax * messageBytesMax;
    this.evenShareBytes = this.bytesMax / connectionsMax;
  }
}

/**
 * What one connection has of it. While there is enough, that is as much as its own bounds allow; when there is not, whoever has an even share gets
 * no more. So all together stay below twice the bound, and who keeps little is served whatever the others do.
 */
export class MemoryShare {
  readonly #all: Memory;
  #bytes = 0;

  constructor(all: Memory) {
    this.#all = all;
  }

  /** Whether the connection may keep more. */
  get hasRoom(): boolean {
    const { bytes, bytesMax, evenShareBytes } = this.#all;
    return bytes <= bytesMax || this.#bytes <= evenShareBytes;
  }

  /** So many bytes more, or less. */
  changed(bytes: number): void {
    this.#bytes += bytes;
    this.#all.bytes += bytes;
  }

  /** The connection is gone, and with it what is left. */
  close(): void {
    this.changed(-this.#bytes);
  }
}
