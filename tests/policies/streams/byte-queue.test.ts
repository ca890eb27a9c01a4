import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteQueue } from "../../../policies/lib/streams/byte-queue.ts";

test("what a large chunk needed is not kept for the little that is left of it", () => {
  const queue = new ByteQueue();
  queue.append(Buffer.alloc(2 * 1024 * 1024, "a"));
  queue.drop(2 * 1024 * 1024 - 700);
  expect(queue.view().equals(Buffer.alloc(700, "a"))).toBe(true);
  expect(queue.view().buffer.byteLength).toBeLessThan(64 * 1024);
});

test("gives what was appended, whatever is dropped in between, and holds little more than that", () => {
  const step = fc.record({ append: fc.nat(200_000), drop: fc.double({ min: 0, max: 1, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const queue = new ByteQueue();
      let expected = Buffer.alloc(0);
      for (const [index, { append, drop }] of steps.entries()) {
        const bytes = Buffer.alloc(append, index + 1);
        queue.append(bytes);
        expected = Buffer.concat([expected, bytes]);
        const count = Math.floor(expected.length * drop);
        queue.drop(count);
        expected = expected.subarray(count);
        expect(queue.view().equals(expected)).toBe(true);
        expect(queue.view().buffer.byteLength).toBeLessThanOrEqual(Math.max(128 * 1024, expected.length * 4));
      }
    }),
    { seed: 6, numRuns: 100 },
  );
});
