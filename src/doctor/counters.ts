/** Counters and gauges by name, as a port prints them: `name: 7` (Envoy's `/stats`) or `name{label="a"} 7` (Prometheus). */
export type Counters = ReadonlyMap<string, number>;

/** Lines that do not end with a number, such as comments and summaries of histograms, are left out. */
export function readCounters(text: string): Counters {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, name, value] = /^([^#\s].*?):? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(value)] as const];
    }),
  );
}

/** Counters at the start and at the end of a while. */
export interface Span {
  readonly before: Counters;
  readonly after: Counters;
}

/** By how much counters have grown, together. One that has begun anew, as it does when a process starts again, counts from 0. */
export function growth({ before, after }: Span, ...names: readonly string[]): number {
  return names.reduce((sum, name) => {
    const last = after.get(name) ?? 0;
    const first = before.get(name) ?? 0;
    return sum + (last < first ? last : last - first);
  }, 0);
}

/** Counters are read one after the other while requests come in: of `count` so many more may be on the one side. */
export function slackOf(count: number): number {
  return Math.max(2, count * 0.01);
}
