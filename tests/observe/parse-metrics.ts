/** A strict reader of Prometheus' text format 0.0.4: throws on what a scraper would refuse or misread. */
export interface ParsedFamily {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ParsedSample[];
}

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function parseMetrics(text: string): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, { help: string; type: string; samples: ParsedSample[] }>();
  const series = new Set<string>();
  let current: { name: string; samples: ParsedSample[]; type: string } | undefined;
  const lines = text.slice(0, -1).split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const help = /^# HELP ([a-zA-Z_:][\w:]*) ([\s\S]*)$/.exec(line);
    if (help !== null) {
      const [, name = "", helpText = ""] = help;
      const [, typed, type = ""] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[++at] ?? "") ?? [];
      if (typed !== name) throw new Error(`no TYPE after HELP of ${name}`);
      if (families.has(name)) throw new Error(`family ${name} comes twice`);
      const samples: ParsedSample[] = [];
      families.set(name, { help: unescaped(helpText), type, samples });
      current = { name, samples, type };
      continue;
    }
    const sample = parseSample(line);
    const suffix = current?.type === "histogram" ? "(_bucket|_sum|_count)" : "";
    if (current === undefined || !new RegExp(`^${current.name}${suffix}$`).test(sample.name)) throw new Error(`stray sample: ${line}`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (series.has(key)) throw new Error(`series comes twice: ${line}`);
    series.add(key);
    current.samples.push(sample);
  }
  return families;
}

function parseSample(line: string): ParsedSample {
  const [, name = "", labels = "", value = ""] = /^([a-zA-Z_:][\w:]*)(?:\{([\s\S]*)\})? (\S+)$/.exec(line) ?? [];
  if (name === "") throw new Error(`not a sample: ${line}`);
  const parsed: Record<string, string> = {};
  let rest = labels;
  while (rest !== "") {
    const [whole, label = "", escaped = ""] = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\n"])*)"(?:,(?=[\s\S])|$)/.exec(rest) ?? [];
    if (whole === undefined) throw new Error(`bad labels: ${line}`);
    if (label in parsed) throw new Error(`label ${label} comes twice: ${line}`);
    parsed[label] = unescaped(escaped);
    rest = rest.slice(whole.length);
  }
  return { name, labels: parsed, value: parseValue(value) };
}

function parseValue(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  if (text === "NaN") return Number.NaN;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Error(`not a value: ${text}`);
  return Number(text);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}
