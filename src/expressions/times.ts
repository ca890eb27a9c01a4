import type { Duration } from "./duration.ts";
import { Fault } from "./fault.ts";
import { type Callable, prepared, timestamp, timestampOrDuration, unary } from "./guards.ts";
import type { Type } from "./types.ts";

const int: Type = { kind: "int" };
const dayMs = 86_400_000;

/** RFC 3339, or seconds since the epoch. */
export function readTimestamp(value: string | bigint): Date {
  if (typeof value === "string" && !/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.test(value)) {
    throw new Fault("no timestamp such as `2026-01-31T12:00:00Z`");
  }
  const time = new Date(typeof value === "string" ? value.toUpperCase() : Number(value) * 1_000);
  // The years 1 to 9999, the range of google.protobuf.Timestamp, which CEL's timestamp is.
  if (time.getTime() >= -62_135_596_800_000 && time.getTime() <= 253_402_300_799_999) return time;
  throw new Fault("the timestamp is out of range");
}

/** The parts of a moment in UTC, or in a time zone such as `"Europe/Berlin"`; of a duration, the whole of it in that unit. */
export const timeMethods: Readonly<Record<string, readonly Callable[]>> = {
  getFullYear: ofTimestamp((time) => time.getUTCFullYear()),
  getMonth: ofTimestamp((time) => time.getUTCMonth()),
  getDate: ofTimestamp((time) => time.getUTCDate()),
  getDayOfMonth: ofTimestamp((time) => time.getUTCDate() - 1),
  getDayOfWeek: ofTimestamp((time) => time.getUTCDay()),
  getDayOfYear: ofTimestamp((time) => Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / dayMs)),
  getHours: ofBoth((time) => time.getUTCHours(), 3_600_000_000_000n),
  getMinutes: ofBoth((time) => time.getUTCMinutes(), 60_000_000_000n),
  getSeconds: ofBoth((time) => time.getUTCSeconds(), 1_000_000_000n),
  getMilliseconds: ofBoth((time) => time.getUTCMilliseconds(), 1_000_000n),
};

function ofTimestamp(part: (time: Date) => number): readonly Callable[] {
  return [unary(timestamp, int, (time) => BigInt(part(time))), inZone(part)];
}

function ofBoth(part: (time: Date) => number, unitNanoseconds: bigint): readonly Callable[] {
  const either = (value: Date | Duration) => (value instanceof Date ? BigInt(part(value)) : value.nanoseconds / unitNanoseconds);
  return [unary(timestampOrDuration, int, either), inZone(part)];
}

function inZone(part: (time: Date) => number): Callable {
  return prepared(timestamp, int, (timeZone) => {
    const clock = clockOf(timeZone);
    return (time) => BigInt(part(shownBy(clock, time)));
  });
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    throw new Fault("no time zone such as `Europe/Berlin`");
  }
}

/** The moment whose UTC parts are what the clock shows. */
function shownBy(clock: Intl.DateTimeFormat, time: Date): Date {
  const parts = new Map<string, number>();
  for (const { type, value } of clock.formatToParts(time)) parts.set(type, Number(value));
  const part = (name: string) => parts.get(name) ?? 0;
  const shown = new Date(0);
  shown.setUTCFullYear(part("year"), part("month") - 1, part("day"));
  shown.setUTCHours(part("hour"), part("minute"), part("second"), time.getUTCMilliseconds());
  return shown;
}
