import type { NativeLimits } from "../limits.ts";
import { Allowance } from "./allowance.ts";

/** What a peer may do only so often, per connection. */
export interface Allowances {
  readonly resets: Allowance;
  readonly settings: Allowance;
  readonly pings: Allowance;
  readonly pieces: Allowance;
  readonly otherFrames: Allowance;
}

export function createAllowances(limits: NativeLimits, monotonicMs: () => number): Allowances {
  return {
    resets: new Allowance("streams are reset", limits.resets, monotonicMs),
    settings: new Allowance("SETTINGS", limits.settings, monotonicMs),
    pings: new Allowance("PINGs", limits.pings, monotonicMs),
    pieces: new Allowance("empty frames", limits.pieces, monotonicMs),
    otherFrames: new Allowance("frames that ask for nothing", limits.otherFrames, monotonicMs),
  };
}
