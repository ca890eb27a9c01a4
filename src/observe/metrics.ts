/**
 * Prometheus text format 0.0.4. Nothing is counted here: collectors read what others count, at scrape time, so that an exchange pays for an
 * increment of a number and nothing else.
 */

export type MetricFamily = ScalarFamily | HistogramFamily;

export interface ScalarFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "histogram";
  /** Upper bounds of the buckets, included, ascending, in the unit of the name. The bucket above the last one is not listed. */
  readonly bounds: readonly number[];
  readonly series: readonly HistogramSeries[];
}

export interface HistogramSeries {
  readonly labels: Labels;
  /** How many observations fell into each bucket, not cumulative; one more than there are bounds. Read while the text is made, not kept. */
  readonly buckets: ArrayLike<number>;
  readonly sum: number;
}

export type Labels = Readonly<Record<string, string>>;

export type Collector = () => readonly MetricFamily[];

export interface Metrics {
  /** Adds a collector; returns what removes it. Families of one name from several collectors become one. */
  register(collector: Collector): () => void;
  /** One of each name. Throws what a collector throws, and a TypeError when one name is used for two types. */
  families(): readonly MetricFamily[];
  /** As text; throws what `families` throws. */
  expose(): string;
}

/** What a response with `expose()` as its body is called. */
export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

export function createMetrics(): Metrics {
  const collectors = new Set<Collector>();
  return {
    register(collector) {
      collectors.add(collector);
      return () => collectors.delete(collector);
    },
    families,
    expose: () => metricsText(families()),
  };

  function families(): readonly MetricFamily[] {
    const byName = new Map<string, MetricFamily>();
    for (const collect of collectors) for (const family of collect()) byName.set(family.name, merged(byName.get(family.name), family));
    return [...byName.values()];
  }
}

/** The whole exposition, families in the order of their names and series in the order of their labels. */
export function metricsText(families: readonly MetricFamily[]): string {
  return [...families]
    .sort(by(({ name }) => name))
    .map(familyText)
    .join("");
}

/** A family of one sample without labels. */
export function single(name: string, type: "counter" | "gauge", help: string, value: number): MetricFamily {
  return { name, help, type, samples: [{ labels: {}, value }] };
}

function merged(known: MetricFamily | undefined, added: MetricFamily): MetricFamily {
  if (known === undefined) return added;
  if (known.type === "histogram" && added.type === "histogram") return { ...known, series: [...known.series, ...added.series] };
  if (known.type !== "histogram" && added.type === known.type) return { ...known, samples: [...known.samples, ...added.samples] };
  throw new TypeError(`metric \`${added.name}\` is a ${known.type} in one place and a ${added.type} in another: rename one of them`);
}

function familyText(family: MetricFamily): string {
  const { name, help, type } = family;
  return `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n${seriesTexts(family).join("")}`;
}

function seriesTexts(family: MetricFamily): readonly string[] {
  // Texts of labels are made once per series and those of bounds once per family: a scrape must not hold up the exchanges.
  if (family.type === "histogram") {
    const bounds = [...family.bounds, Number.POSITIVE_INFINITY].map((bound) => `le="${valueText(bound)}"} `);
    const series = family.series.map((one) => ({ ...one, text: labelsText(one.labels) })).sort(by(({ text }) => text));
    return series.map(({ text, buckets, sum }) => histogramText(family.name, text, bounds, buckets, sum));
  }
  const samples = family.samples.map(({ labels, value }) => ({ value, text: labelsText(labels) })).sort(by(({ text }) => text));
  return samples.map(({ text, value }) => `${family.name}${braced(text)} ${valueText(value)}\n`);
}

function histogramText(name: string, labels: string, bounds: readonly string[], buckets: ArrayLike<number>, sum: number): string {
  const start = `${name}_bucket{${labels === "" ? "" : `${labels},`}`;
  let text = "";
  let total = 0;
  for (let at = 0; at < bounds.length; at++) {
    total += buckets[at] ?? 0;
    text += `${start}${bounds[at]}${total}\n`;
  }
  return `${text}${name}_sum${braced(labels)} ${valueText(sum)}\n${name}_count${braced(labels)} ${total}\n`;
}

function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",");
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}

function by<Value>(key: (value: Value) => string): (a: Value, b: Value) => number {
  return (a, b) => (key(a) < key(b) ? -1 : 1);
}
