/** How long one operation takes in this process, and what it leaves for the collector. */
import process from "node:process";
import { GCProfiler } from "node:v8";

export interface Operation {
  readonly name: string;
  /** Rejects or throws when what comes of it is wrong. A promise only where the operation itself has one. */
  run(): void | Promise<void>;
}

export interface Sample {
  /** Processor time of the whole process, so that the collector's threads count and other processes do not. */
  readonly microseconds: number;
  readonly bytes: number;
}

const batch = 500;

/** At least one batch of operations. */
export async function sample(operation: Operation, forMs: number): Promise<Sample> {
  const collections = new GCProfiler();
  collections.start();
  const heapBefore = process.memoryUsage().heapUsed;
  const cpuBefore = process.cpuUsage();
  const until = performance.now() + forMs;
  let count = 0;
  do {
    for (let index = 0; index < batch; index += 1) {
      const pending = operation.run();
      if (pending !== undefined) await pending;
    }
    count += batch;
  } while (performance.now() < until);
  const { user, system } = process.cpuUsage(cpuBefore);
  const heapAfter = process.memoryUsage().heapUsed;
  const collected = collections
    .stop()
    .statistics.reduce((sum, { beforeGC, afterGC }) => sum + beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize, 0);
  return { microseconds: (user + system) / count, bytes: (heapAfter - heapBefore + collected) / count };
}
