import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMetrics, type HistogramFamily, type MetricFamily, single } from "../../src/observe/metrics.ts";
import { parseMetrics } from "./parse-metrics.ts";

const counter = (name: string, labels: Record<string, string>, value: number): MetricFamily => ({
  name,
  help: `Help of ${name}.`,
  type: "counter",
  samples: [{ labels, value }],
});

const histogram = (labels: Record<string, string>, buckets: readonly number[]): HistogramFamily => ({
  name: "h_seconds",
  help: "h",
  type: "histogram",
  bounds: [0.1, 1],
  series: [{ labels, buckets, sum: 2.5 }],
});

function exposed(...families: readonly MetricFamily[]): string {
  const metrics = createMetrics();
  metrics.register(() => families);
  return metrics.expose();
}

test("the text is the one of the format's description", () => {
  expect(
    exposed(counter("b_total", { chain: "x", step: "y" }, 3), single("a", "gauge", "Plain.", 0.5), histogram({ chain: "x" }, [1, 2, 4])),
  ).toBe(
    `# HELP a Plain.
# TYPE a gauge
a 0.5
# HELP b_total Help of b_total.
# TYPE b_total counter
b_total{chain="x",step="y"} 3
# HELP h_seconds h
# TYPE h_seconds histogram
h_seconds_bucket{chain="x",le="0.1"} 1
h_seconds_bucket{chain="x",le="1"} 3
h_seconds_bucket{chain="x",le="+Inf"} 7
h_seconds_sum{chain="x"} 2.5
h_seconds_count{chain="x"} 7
`,
  );
});

test("a histogram without labels has only `le`", () => {
  expect(exposed(histogram({}, [0, 0, 1]))).toContain('h_seconds_bucket{le="+Inf"} 1\nh_seconds_sum 2.5\nh_seconds_count 1\n');
});

describe("collectors", () => {
  test("families of one name become one, series in the order of their labels whoever comes first", () => {
    const texts = [
      [
        counter("a_total", { x: "2" }, 2),
        counter("a_total", { x: "1" }, 1),
        histogram({ x: "2" }, [1, 1, 1]),
        histogram({ x: "1" }, [1, 1, 1]),
      ],
      [
        histogram({ x: "1" }, [1, 1, 1]),
        counter("a_total", { x: "1" }, 1),
        histogram({ x: "2" }, [1, 1, 1]),
        counter("a_total", { x: "2" }, 2),
      ],
    ].map((families) => exposed(...families));
    expect(texts[0]).toBe(texts[1]);
    expect([...parseMetrics(texts[0] ?? "").keys()]).toEqual(["a_total", "h_seconds"]);
    expect(texts[0]).toMatch(/x="1"[\s\S]*x="2"[\s\S]*x="1"[\s\S]*x="2"/);
  });

  test("a collector is read anew with each exposition, until it is removed", () => {
    const metrics = createMetrics();
    let value = 0;
    const remove = metrics.register(() => [single("a", "gauge", "a", ++value)]);
    metrics.register(() => [single("b", "gauge", "b", 7)]);
    expect(metrics.expose()).toContain("\na 1\n");
    expect(metrics.expose()).toContain("\na 2\n");
    remove();
    expect(metrics.expose()).toBe("# HELP b b\n# TYPE b gauge\nb 7\n");
  });

  test("one name with two types is an error that names all three", () => {
    expect(() => exposed(single("a", "gauge", "a", 1), single("a", "counter", "a", 1))).toThrow(
      "metric `a` is a gauge in one place and a counter in another: rename one of them",
    );
    expect(() => exposed(histogram({}, [1, 1, 1]), single("h_seconds", "counter", "a", 1))).toThrow(TypeError);
  });
});

test("whatever labels, help and values are, they can be read back", () => {
  const nasty = fc.string({ unit: fc.constantFrom("\\", '"', "\n", "{", "}", ",", "=", " ", "a", "é", "💥", "\t", "\r") });
  fc.assert(
    fc.property(nasty, nasty, fc.double({ noNaN: false }), nasty, (first, second, value, help) => {
      const family: MetricFamily = { name: "a", help, type: "gauge", samples: [{ labels: { first, second }, value }] };
      const read = parseMetrics(exposed(family)).get("a");
      expect(read?.help).toBe(help);
      expect(read?.samples).toEqual([{ name: "a", labels: { first, second }, value: value === 0 ? 0 : value }]);
    }),
    { seed: 20260101, numRuns: 300 },
  );
});
