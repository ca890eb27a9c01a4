/** So many streams back it is known how one has ended; a power of two. */
const remembered = 16_384;

/**
 * How the last streams have ended. `by-us`: the peer may not know yet, what it still sends is ignored. `by-peer`: it has said that it sends
 * nothing more. `unknown`: too long ago, or never opened.
 */
export class ClosedStreams {
  /** By half of the id, within the ring: the id, negative where the peer has ended it. */
  readonly #ends = new Int32Array(remembered);

  ended(streamId: number, how: "by-us" | "by-peer"): void {
    this.#ends[(streamId >>> 1) & (remembered - 1)] = how === "by-us" ? streamId : -streamId;
  }

  how(streamId: number): "by-us" | "by-peer" | "unknown" {
    const end = this.#ends[(streamId >>> 1) & (remembered - 1)];
    if (end === streamId) return "by-us";
    return end === -streamId ? "by-peer" : "unknown";
  }
}
