import { expect, test } from "vitest";
import { type GenerationCounts, sumCounts } from "../../src/processes/sum-counts.ts";

const step = (runs: number, since: string) => ({
  step: "auth",
  policy: "jwt@1.0.0",
  since,
  runs,
  skips: 1,
  replies: 2,
  errors: 3,
  timeouts: 4,
  refusals: 5,
  latency: { sumMs: 1.5, buckets: [runs, 0] },
});

const counts = (runs: number, since: string): GenerationCounts => ({
  chains: [{ chain: "api", since, exchanges: runs, steps: [step(runs, since)] }],
  generations: [{ number: 1, exchanges: runs }],
});

test("what workers have done is added up, since the first of them began", () => {
  const other: GenerationCounts = {
    chains: [{ chain: "other", since: "2026-01-03T00:00:00.000Z", exchanges: 1, steps: [] }],
    generations: [{ number: 2, exchanges: 1 }],
  };
  expect(sumCounts([counts(1, "2026-01-02T00:00:00.000Z"), counts(10, "2026-01-01T00:00:00.000Z"), other])).toEqual({
    chains: [
      {
        chain: "api",
        since: "2026-01-01T00:00:00.000Z",
        exchanges: 11,
        steps: [
          {
            step: "auth",
            policy: "jwt@1.0.0",
            since: "2026-01-01T00:00:00.000Z",
            runs: 11,
            skips: 2,
            replies: 4,
            errors: 6,
            timeouts: 8,
            refusals: 10,
            latency: { sumMs: 3, buckets: [11, 0] },
          },
        ],
      },
      ...other.chains,
    ],
    generations: [
      { number: 1, exchanges: 11 },
      { number: 2, exchanges: 1 },
    ],
  });
});
