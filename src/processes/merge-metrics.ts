/** The metrics of several processes as those of one engine. */
import type { HistogramFamily, HistogramSeries, Labels, MetricFamily, Sample, ScalarFamily } from "../observe/metrics.ts";
import { type Guard, list, literal, number, oneOf, record, shape, text } from "./shape.ts";

/** What one process has counted. */
export interface Member {
  /** Its value of the label `worker`. */
  readonly name: string;
  readonly families: readonly MetricFamily[];
}

/** Gauges of which the sum over processes means something: they have no label `worker`. */
const summedGauges: ReadonlySet<string> = new Set(["policy_engine_exchanges_open"]);

/**
 * Counters and histograms are added up, series by series. A gauge keeps a sample for each process, with the label `worker`.
 *
 * @throws TypeError when processes disagree about the type of a family or the bounds of a histogram
 */
export function mergeMetrics(members: readonly Member[]): readonly MetricFamily[] {
  const merged = new Map<string, MetricFamily>();
  for (const { name: worker, families } of members) {
    for (const family of families) {
      const known = merged.get(family.name);
      const added = family.type === "gauge" && !summedGauges.has(family.name) ? labelled(family, worker) : family;
      merged.set(family.name, known === undefined ? added : joined(known, added));
    }
  }
  return [...merged.values()];
}

/**
 * What stays of a process that has ended: what only grows. Without it the sums would fall, and every fall of a counter is taken for a restart of
 * the whole.
 */
export function remains(families: readonly MetricFamily[]): readonly MetricFamily[] {
  return families.filter(({ type }) => type !== "gauge");
}

/** Without the series of chains that nobody has any more. */
export function withoutChains(families: readonly MetricFamily[], isKnown: (chain: string) => boolean): readonly MetricFamily[] {
  const stays = ({ labels: { chain } }: { readonly labels: Labels }): boolean => chain === undefined || chain === "" || isKnown(chain);
  return families.map((family) =>
    family.type === "histogram" ? { ...family, series: family.series.filter(stays) } : { ...family, samples: family.samples.filter(stays) },
  );
}

/** As plain arrays: a view on a process's own numbers would cross with everything behind it. */
export function sendable(families: readonly MetricFamily[]): readonly MetricFamily[] {
  return families.map((family) =>
    family.type === "histogram"
      ? { ...family, series: family.series.map(({ labels, buckets, sum }) => ({ labels, buckets: Array.from(buckets), sum })) }
      : family,
  );
}

const labels: Guard<Labels> = record(text);

export const areFamilies: Guard<readonly MetricFamily[]> = list(
  oneOf<MetricFamily>(
    shape<ScalarFamily>({
      name: text,
      help: text,
      type: oneOf<ScalarFamily["type"]>(literal("counter"), literal("gauge")),
      samples: list(shape<Sample>({ labels, value: number })),
    }),
    shape<HistogramFamily>({
      name: text,
      help: text,
      type: literal("histogram"),
      bounds: list(number),
      series: list(shape<HistogramSeries>({ labels, buckets: list(number), sum: number })),
    }),
  ),
);

function labelled(family: ScalarFamily, worker: string): ScalarFamily {
  return { ...family, samples: family.samples.map(({ labels: own, value }) => ({ labels: { ...own, worker }, value })) };
}

function joined(known: MetricFamily, added: MetricFamily): MetricFamily {
  if (known.type === "histogram" && added.type === "histogram") return joinedHistograms(known, added);
  if (known.type !== "histogram" && added.type === known.type) {
    return {
      ...known,
      samples: summed([...known.samples, ...added.samples], (one, other) => ({ ...one, value: one.value + other.value })),
    };
  }
  throw new TypeError(`metric \`${added.name}\` is a ${known.type} in one process and a ${added.type} in another`);
}

function joinedHistograms(known: HistogramFamily, added: HistogramFamily): HistogramFamily {
  if (known.bounds.length !== added.bounds.length || known.bounds.some((bound, at) => bound !== added.bounds[at])) {
    throw new TypeError(`the histogram \`${added.name}\` has other bounds in one process than in another`);
  }
  const add = (one: HistogramSeries, other: HistogramSeries): HistogramSeries => ({
    labels: one.labels,
    buckets: Array.from(one.buckets, (count, at) => count + (other.buckets[at] ?? 0)),
    sum: one.sum + other.sum,
  });
  return { ...known, series: summed([...known.series, ...added.series], add) };
}

/** One of each set of labels, in the order in which they first come. */
function summed<Series extends { readonly labels: Labels }>(
  series: readonly Series[],
  add: (one: Series, other: Series) => Series,
): readonly Series[] {
  const byLabels = new Map<string, Series>();
  for (const one of series) {
    const key = JSON.stringify(Object.entries(one.labels).sort(([left], [right]) => (left < right ? -1 : 1)));
    const known = byLabels.get(key);
    byLabels.set(key, known === undefined ? one : add(known, one));
  }
  return [...byLabels.values()];
}
