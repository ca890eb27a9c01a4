import { expect, test } from "vitest";
import { createBufferCollector } from "../../src/engine/buffer-collector.ts";

const pieceBytes = 64 * 1024;
const MiB = 1024 * 1024;

/** The most that buffers take while pieces come and are forgotten, above what they took before, bytes. */
function peakOf(bytes: number, told: (pieceBytes: number) => void): number {
  const before = process.memoryUsage().arrayBuffers;
  let peak = before;
  for (let passed = 0; passed < bytes; passed += pieceBytes) {
    new Uint8Array(pieceBytes).fill(1);
    told(pieceBytes);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  return peak - before;
}

test("the buffers of bodies that have passed do not gather", () => {
  const collector = createBufferCollector();
  peakOf(16 * MiB, collector);
  const peak = peakOf(200 * MiB, collector);
  expect(peak).toBeLessThan(16 * MiB);
  // What V8 does by itself, so that this test is known to see something.
  expect(peakOf(200 * MiB, () => {})).toBeGreaterThan(2 * peak);
});
