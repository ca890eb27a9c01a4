/**
 * Prometheus text format 0.0.4. Nothing is counted here: collectors read what others count, at scrape time, so that an exchange pays for an
 * increment of a number and nothing else.
 */

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** Appended to the family's name: `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Collector = () => readonly MetricFamily[];

export interface Metrics {
  /** Adds a collector; returns what removes it. */
  register(collector: Collector): () => void;
  /** The whole exposition: families in the order of their names, each once. */
  expose(): string;
}

export function createMetrics(): Metrics {
  const collectors = new Set<Collector>();
  return {
    register(collector) {
      collectors.add(collector);
      return () => collectors.delete(collector);
    },
    expose() {
      const families = new Map<string, MetricFamily>();
      for (const family of [...collectors].flatMap((collect) => collect())) {
        const known = families.get(family.name);
        families.set(family.name, known === undefined ? family : { ...known, samples: [...known.samples, ...family.samples] });
      }
      return [...families.values()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(familyText)
        .join("");
    },
  };
}

/** A family of one sample without labels. */
export function single(name: string, type: "counter" | "gauge", help: string, value: number): MetricFamily {
  return { name, help, type, samples: [{ labels: {}, value }] };
}

function familyText({ name, help, type, samples }: MetricFamily): string {
  const lines = samples.map(({ suffix = "", labels, value }) => `${name}${suffix}${labelsText(labels)} ${valueText(value)}\n`);
  return `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
