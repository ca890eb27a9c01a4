import { Fault } from "./fault.ts";

/** A span of time, nanoseconds, negative when it goes back. */
export class Duration {
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    // The range of google.protobuf.Duration, which CEL's duration is: about 10,000 years.
    if (nanoseconds > nanosecondsMax || nanoseconds < -nanosecondsMax) throw new Fault("the duration is out of range");
    this.nanoseconds = nanoseconds;
  }

  /** Whole milliseconds, rounded down: what a `Date` can hold. */
  get milliseconds(): number {
    const rest = this.nanoseconds % nanosecondsPerMillisecond;
    return Number((this.nanoseconds - rest) / nanosecondsPerMillisecond) - (rest < 0n ? 1 : 0);
  }
}

const nanosecondsPerMillisecond = 1_000_000n;
const nanosecondsMax = 315_576_000_000n * 1_000_000_000n;

const unitNanoseconds: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};

/** Reads `300ms`, `-1.5h`, `2h45m`: the form of Go's time.ParseDuration, which CEL takes over. */
export function parseDuration(text: string): Duration {
  const sign = /^[+-]?/.exec(text)?.[0] ?? "";
  const part = /(\d{1,18})(?:\.(\d{1,9})\d*)?(h|ms|us|µs|ns|m|s)/y;
  part.lastIndex = sign.length;
  let nanoseconds = 0n;
  do {
    const [, whole = "", fraction = "", unit = ""] = part.exec(text) ?? [];
    const scale = unitNanoseconds[unit];
    if (scale === undefined) throw new Fault("not a duration such as `1h30m` or `250ms`");
    nanoseconds += BigInt(whole) * scale + (BigInt(fraction.padEnd(9, "0")) * scale) / 1_000_000_000n;
  } while (part.lastIndex < text.length);
  return new Duration(sign === "-" ? -nanoseconds : nanoseconds);
}
