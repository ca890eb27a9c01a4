/** `npm run bench:streams` in short. */
import { expect, test } from "vitest";
import { streamsFindings } from "../../bench/streams/findings.ts";
import { runStreams } from "../../bench/streams/run-streams.ts";
import { transportUnderTest } from "../../support/test-stage.ts";

const MiB = 1024 * 1024;

test("bodies that are offered faster than they are taken arrive whole, and the engine holds little of them", async () => {
  const parts = [
    { exchanges: 1, bodyBytes: 40 * MiB, bytesPerSecond: 10 * MiB, look: "held", growthBytesMax: 50 * MiB },
    { exchanges: 20, bodyBytes: MiB, bytesPerSecond: 512 * 1024, look: "resident", growthBytesMax: Number.POSITIVE_INFINITY },
  ] as const;
  const reports = await runStreams({ transport: transportUnderTest(), warmUpExchanges: 20, parts, progress: () => {} });
  expect(streamsFindings(reports).filter(({ ok }) => !ok)).toEqual([]);
}, 120_000);
