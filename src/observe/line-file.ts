import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { atMost, createPause } from "./pause.ts";
import type { RecordSink } from "./record-sink.ts";

export interface LineFileOptions {
  /** How many bytes may wait for the disk, or for whoever reads a pipe; lines beyond are dropped. */
  readonly waitingBytesMax: number;
  /** Told once when the file cannot be opened or written, not again while that lasts. It is tried again each second. */
  readonly failed: (error: unknown) => void;
}

/**
 * Appends lines to a file. A file that was renamed or removed is noticed within a second of the next line and made anew under its name, and one that
 * was cut is written on from its start: so any way of logrotate works, and needs no signal. A named pipe that nobody reads holds up nobody.
 */
export function createLineFile(path: string, { waitingBytesMax, failed }: LineFileOptions): RecordSink<string> {
  const waiting: Buffer[] = [];
  let waitingBytes = 0;
  /** What is being written: the rest of it, and how many lines end in it. */
  let chunk: { rest: Buffer; readonly lines: number } | undefined;
  let [written, dropped] = [0, 0];
  let file: { readonly handle: FileHandle; readonly dev: number; readonly ino: number; checkedMs: number } | undefined;
  let state: "open" | "closing" | "closed" = "open";
  let failing = false;
  let pumping: Promise<void> | undefined;
  const pause = createPause();

  return {
    write(line) {
      const bytes = Buffer.from(line);
      if (state !== "open" || waitingBytes + bytes.length > waitingBytesMax) {
        dropped += 1;
        return;
      }
      waiting.push(bytes);
      waitingBytes += bytes.length;
      pumping ??= pump();
    },
    async close(timeoutMs) {
      state = "closing";
      pause.cut();
      if (pumping !== undefined) await atMost(pumping, timeoutMs);
      state = "closed";
      pause.cut();
      dropped += waiting.splice(0).length + (chunk?.lines ?? 0);
      chunk = undefined;
      // Whoever hangs in a write would be waited for.
      void letGo();
    },
    counts: () => ({ written, dropped, waiting: waiting.length + (chunk?.lines ?? 0) }),
  };

  async function pump(): Promise<void> {
    while (state !== "closed") {
      chunk ??= nextChunk();
      if (chunk === undefined) {
        pumping = undefined;
        return;
      }
      try {
        await append(chunk);
        failing = false;
      } catch (error) {
        if (!isBusy(error)) await reportFailure(error);
        // What is closing tries what it has once more, but does not wait for others to come back.
        if (!isBusy(error) && state !== "open") return;
        await pause.wait(isBusy(error) ? busyRetryMs : retryMs);
      }
    }
  }

  async function append(next: NonNullable<typeof chunk>): Promise<void> {
    const { handle } = await currentFile();
    while (next.rest.length > 0) {
      const { bytesWritten } = await handle.write(next.rest);
      next.rest = next.rest.subarray(bytesWritten);
    }
    // It was given up meanwhile.
    if (chunk !== next) return;
    written += next.lines;
    chunk = undefined;
  }

  async function currentFile(): Promise<NonNullable<typeof file>> {
    const now = performance.now();
    if (file !== undefined && now - file.checkedMs > checkMs) {
      const named = await stat(path).catch(() => undefined);
      if (named?.ino !== file.ino || named.dev !== file.dev) await letGo();
      else file.checkedMs = now;
    }
    if (file !== undefined) return file;
    // Without O_NONBLOCK the opening of a pipe waits until somebody reads it, in a thread that others need.
    const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o640);
    const { dev, ino } = await handle.stat();
    file = { handle, dev, ino, checkedMs: now };
    return file;
  }

  async function reportFailure(error: unknown): Promise<void> {
    if (!failing) failed(error);
    failing = true;
    await letGo();
  }

  async function letGo(): Promise<void> {
    const { handle } = file ?? {};
    file = undefined;
    await handle?.close().catch(() => undefined);
  }

  function nextChunk(): typeof chunk {
    let [lines, bytes] = [0, 0];
    for (; lines < waiting.length && bytes < chunkBytes; lines++) bytes += waiting[lines]?.length ?? 0;
    waitingBytes -= bytes;
    return lines === 0 ? undefined : { rest: Buffer.concat(waiting.splice(0, lines), bytes), lines };
  }
}

const chunkBytes = 64 * 1024;
const busyRetryMs = 10;
const retryMs = 1_000;
/** Between two looks whether the file has still its name. */
const checkMs = 1_000;

/** A pipe that does not block and whose reader is slow. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
