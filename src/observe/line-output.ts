import { write, writeSync } from "node:fs";

/** Where lines go. */
export interface LineOutput {
  /** Takes a line with its end. Returns at once and never throws. */
  write(line: string): void;
  /** Writes what is still waiting, and waits for it; a chunk that is on its way already is not waited for. Nothing when the reader is gone. */
  flush(): void;
  /** How many lines have been dropped since the start. */
  droppedLines(): number;
}

export interface LineOutputOptions {
  /** How many bytes may wait for a slow reader; lines beyond are dropped. */
  readonly waitingBytesMax: number;
  /** Told how many lines were dropped, when everything that waited is written. */
  readonly dropped: (lines: number) => void;
}

/**
 * Writes to a file descriptor behind the event loop's back. A synchronous write waits for the reader of the pipe: that was measured
 * as 50 us a line instead of 8, and a reader that hangs would stop every exchange. When the reader is gone, lines are thrown away.
 */
export function createLineOutput(descriptor: number, { waitingBytesMax, dropped }: LineOutputOptions): LineOutput {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let droppedLines = 0;
  let untoldLines = 0;
  let writing = false;
  let gone = false;

  return {
    write(line) {
      const bytes = Buffer.from(line);
      if (gone) return;
      if (waitingBytes + bytes.length > waitingBytesMax) {
        droppedLines += 1;
        untoldLines += 1;
        return;
      }
      waiting.push(bytes);
      waitingBytes += bytes.length;
      if (!writing) writeNext();
    },
    flush() {
      const giveUpAt = performance.now() + flushTimeoutMs;
      while (!gone && waiting.length > 0) {
        try {
          let rest = nextChunk();
          while (rest.length > 0) rest = rest.subarray(writtenNow(rest, giveUpAt));
        } catch {
          gone = true;
        }
      }
    },
    droppedLines: () => droppedLines,
  };

  function writeNext(): void {
    if (waiting.length === 0) {
      if (untoldLines > 0) dropped(takeUntold());
      return;
    }
    writing = true;
    writeWhole(nextChunk());
  }

  function writeWhole(chunk: Buffer): void {
    write(descriptor, chunk, (error, written) => {
      if (isBusy(error)) {
        setTimeout(writeWhole, busyRetryMs, chunk);
        return;
      }
      if (error !== null) {
        gone = true;
        waiting = [];
        return;
      }
      if (written < chunk.length) return writeWhole(chunk.subarray(written));
      writing = false;
      writeNext();
    });
  }

  function nextChunk(): Buffer {
    let lines = 0;
    let bytes = 0;
    for (; lines < waiting.length && bytes < chunkBytes; lines++) bytes += waiting[lines]?.length ?? 0;
    waitingBytes -= bytes;
    return Buffer.concat(waiting.splice(0, lines), bytes);
  }

  function writtenNow(bytes: Buffer, giveUpAt: number): number {
    try {
      return writeSync(descriptor, bytes);
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busyRetryMs);
      return 0;
    }
  }

  function takeUntold(): number {
    const lines = untoldLines;
    untoldLines = 0;
    return lines;
  }
}

/** About what a pipe holds. */
const chunkBytes = 64 * 1024;
const busyRetryMs = 10;
const flushTimeoutMs = 1_000;

/** A pipe that does not block and whose reader is slow. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EBUSY");
}
