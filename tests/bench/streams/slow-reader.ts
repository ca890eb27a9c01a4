import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** Reads to the end, no faster than this; the hash of what came. Rejects when it is broken off. */
export async function readSlowly(readable: Readable, bytesPerSecond: number): Promise<string> {
  const hash = createHash("sha256");
  const started = performance.now();
  let bytes = 0;
  for await (const part of readable) {
    if (!(part instanceof Uint8Array)) throw new TypeError("a body is bytes");
    hash.update(part);
    bytes += part.length;
    const waitMs = (bytes / bytesPerSecond) * 1000 - (performance.now() - started);
    if (waitMs > 0) await sleep(waitMs);
  }
  return hash.digest("hex");
}
