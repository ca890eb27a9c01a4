import type { SourceDocument } from "../config/types.ts";
import type { FilesRead, FilesState } from "../files/read-files.ts";
import { type FileWatch, type WatchOptions, watchFiles } from "../files/watch.ts";
import type { Provider, ProviderSink } from "./provider.ts";

export interface FileProviderOptions {
  readonly name: string;
  /** Files and folders, see `readFiles`. */
  readonly paths: readonly string[];
  /** See `watchFiles`. */
  readonly watching?: Partial<WatchOptions>;
}

/**
 * Configuration from files and folders. Their state is delivered whole, with its content hash as the version, and again whenever its
 * contents have changed or can be read again after a failure. One delivery at a time: of the states that come meanwhile the newest is next.
 *
 * A path that is missing or unreadable and a text that is not UTF-8 are failures of the source, never an empty or mangled delivery.
 */
export function fileProvider({ name, paths, watching = {} }: FileProviderOptions): Provider {
  let watch: FileWatch | undefined;
  let next: FilesState | undefined;
  let delivering = false;
  let closed = false;

  return {
    name,
    async start(sink) {
      watch = await watchFiles(paths, (state) => void deliver(state, sink), watching);
      if (closed) await watch.close();
      else await deliver(watch.first, sink);
    },
    // Files take no answer.
    async close() {
      closed = true;
      await watch?.close();
    },
  };

  /** Resolves when this state, or a newer one in its place, was judged; at once when another delivery is under way. */
  async function deliver(state: FilesState, sink: ProviderSink): Promise<void> {
    next = state;
    if (delivering) return;
    delivering = true;
    while (next !== undefined && !closed) {
      const newest = next;
      next = undefined;
      await deliverOne(newest, sink);
    }
    delivering = false;
  }
}

async function deliverOne(state: FilesState, sink: ProviderSink): Promise<void> {
  if (state.kind === "failed") return sink.failed(state.error);
  try {
    await sink.update(documentsOf(state), state.hash);
  } catch (error) {
    sink.failed(error instanceof Error ? error : new Error(String(error)));
  }
}

function documentsOf({ files }: FilesRead): readonly SourceDocument[] {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  return files.map(({ path, bytes }) => {
    try {
      return { uri: path, text: utf8.decode(bytes) };
    } catch {
      throw new Error(`cannot read \`${path}\`: it is not UTF-8; save it with this encoding`);
    }
  });
}
