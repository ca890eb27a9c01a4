/**
 * Notices every way in which files are replaced: written in place, renamed over, deleted and created again, a Kubernetes volume's swap of
 * `..data`, their directory replaced as a whole.
 */
import { type FilesLimits, type FilesState, filesLimits, readFiles } from "./read-files.ts";
import { watchDirectories } from "./watch-directories.ts";

export interface WatchOptions extends FilesLimits {
  /** How long files must be quiet before they are read, milliseconds. Default 100. */
  readonly debounceMs: number;
  /** The longest that changes in a row can put off reading, milliseconds. Default 1000. */
  readonly waitMsMax: number;
  /** How often files are read without any notice, milliseconds: network and overlay file systems lose notices. Default 5000. */
  readonly pollMs: number;
  /** Told once per directory that cannot be watched, for example when the system's inotify limit is reached; the poll still notices changes. */
  readonly onUnwatchable: (directory: string, error: Error) => void;
}

export const watchDefaults: WatchOptions = {
  ...filesLimits,
  debounceMs: 100,
  waitMsMax: 1000,
  pollMs: 5000,
  onUnwatchable: () => undefined,
};

export interface FileWatch {
  /** The state when the watch began. Nothing that happens afterwards is missed. */
  readonly first: FilesState;
  /** Stops watching; `onChange` is not called any more. Resolves when a read that is under way has ended. Idempotent. */
  close(): Promise<void>;
}

/**
 * Watches files and folders (see `readFiles`) and calls `onChange` with each new state: other contents, a failure that was not there
 * before, and the first success after a failure even when the contents are the old ones. Never two calls for one state.
 *
 * Watching alone does not keep the process alive. What `onChange` throws is thrown to the process: it must not throw.
 */
export async function watchFiles(
  paths: readonly string[],
  onChange: (state: FilesState) => void,
  options: Partial<WatchOptions> = {},
): Promise<FileWatch> {
  const { debounceMs, waitMsMax, pollMs, onUnwatchable, ...limits } = { ...watchDefaults, ...options };
  const directories = watchDirectories(noticed, onUnwatchable);
  let closed = false;
  let known = "";
  /** When the first change was noticed that no state shows yet, in milliseconds of the monotonic clock. */
  let unseenSince: number | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let readAfterwards = false;

  const first = await run(begin);
  const poll = setInterval(() => {
    if (running === undefined) void run(look);
  }, pollMs);
  poll.unref();

  return {
    first,
    async close() {
      closed = true;
      clearInterval(poll);
      clearTimeout(quiet);
      directories.close();
      await running;
    },
  };

  function noticed(): void {
    if (closed) return;
    const now = performance.now();
    unseenSince ??= now;
    clearTimeout(quiet);
    quiet = setTimeout(changed, Math.min(debounceMs, unseenSince + waitMsMax - now));
    quiet.unref();
  }

  function changed(): void {
    if (running === undefined) void run(deliver);
    else readAfterwards = true;
  }

  /** One task at a time; what changes meanwhile is read when it has ended. */
  function run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = task();
    running = result.then(ended, ended);
    return result;
  }

  function ended(): void {
    running = undefined;
    if (!readAfterwards || closed) return;
    readAfterwards = false;
    void run(deliver);
  }

  async function begin(): Promise<FilesState> {
    const state = await read();
    known = fingerprint(state);
    return state;
  }

  async function deliver(): Promise<void> {
    const since = unseenSince;
    unseenSince = undefined;
    const state = await read();
    // Notices of changes during the read come in by the end of this turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (closed) return;
    if (unseenSince !== undefined && since !== undefined && performance.now() < since + waitMsMax) {
      // A file was away or half written, perhaps, and is about to be read again.
      unseenSince = since;
      return;
    }
    if (fingerprint(state) === known) return;
    known = fingerprint(state);
    onChange(state);
  }

  /** A difference found without notice may be a file half written: it is read again like a noticed one, when it has been quiet. */
  async function look(): Promise<void> {
    if (fingerprint(await read()) !== known) noticed();
  }

  async function read(): Promise<FilesState> {
    await directories.follow(paths);
    return readFiles(paths, limits);
  }
}

/** Tells states apart without keeping their contents, which may be secrets. */
function fingerprint(state: FilesState): string {
  return state.kind === "read" ? state.hash : state.error.message;
}
