import { ConnectionError, ErrorCode } from "./protocol.ts";

/** How often something may still happen (a token bucket). */
export class Allowance {
  readonly #what: string;
  readonly #burst: number;
  readonly #perMs: number;
  readonly #monotonicMs: () => number;
  #left: number;
  #filledAtMs: number;

  constructor(what: string, rate: { readonly burst: number; readonly perSecond: number }, monotonicMs: () => number) {
    this.#what = what;
    this.#burst = rate.burst;
    this.#perMs = rate.perSecond / 1000;
    this.#monotonicMs = monotonicMs;
    this.#left = rate.burst;
    this.#filledAtMs = monotonicMs();
  }

  /** @throws ConnectionError when it has happened too often */
  take(): void {
    if (this.#left < 1) this.#fill();
    if (this.#left < 1) throw new ConnectionError(ErrorCode.enhanceYourCalm, `too many ${this.#what}`);
    this.#left--;
  }

  /** The clock is read only when the burst is used up: then a whole one is there again, or what has grown since. */
  #fill(): void {
    const nowMs = this.#monotonicMs();
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
  }
}
