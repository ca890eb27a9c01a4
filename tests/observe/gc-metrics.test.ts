import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { collectGcPauses } from "../../src/observe/gc-metrics.ts";
import { eventually } from "../files/recorder.ts";

test("pauses are counted from the first time that somebody asks", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const pauses = collectGcPauses();
  const majors = (): number => {
    const [family] = pauses.collect();
    const series = family?.type === "histogram" ? family.series.find(({ labels }) => labels.kind === "major") : undefined;
    return Array.from(series?.buckets ?? []).reduce((sum, count) => sum + count, 0);
  };
  try {
    collectGarbage();
    expect(majors()).toBe(0);
    collectGarbage();
    await eventually("the pause is counted", () => majors() > 0);
  } finally {
    pauses.stop();
  }
});
