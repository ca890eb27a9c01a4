import type { SourceDocument } from "../config/types.ts";
import type { FilesRead, FilesState } from "../files/read-files.ts";
import { type FileWatch, watchFiles } from "../files/watch.ts";
import type { Provider, ProviderSink } from "./provider.ts";

export interface FileProviderOptions {
  readonly name: string;
  /** Files and folders, see `readFiles`. */
  readonly paths: readonly string[];
}

/** Configuration from files and folders. Their state is delivered whole, and again whenever its content has changed. */
export function fileProvider({ name, paths }: FileProviderOptions): Provider {
  let watch: FileWatch | undefined;
  let delivering: Promise<void> = Promise.resolve();
  /** The newest state that waits for its turn; older ones that still wait are of no interest. */
  let next: FilesState | undefined;
  let closed = false;

  const deliver = (state: FilesState, sink: ProviderSink): Promise<void> => {
    next = state;
    delivering = delivering.then(async () => {
      const newest = next;
      next = undefined;
      if (newest === undefined || closed) return;
      if (newest.kind === "failed") sink.failed(newest.error);
      else await sink.update(documentsOf(newest), newest.hash);
    });
    return delivering;
  };

  return {
    name,
    async start(sink) {
      watch = await watchFiles(paths, (state) => void deliver(state, sink));
      await deliver(watch.first, sink);
    },
    // Files take no answer.
    report: () => {},
    async close() {
      closed = true;
      await watch?.close();
      await delivering;
    },
  };
}

function documentsOf(state: FilesRead): readonly SourceDocument[] {
  return state.files.map(({ path, bytes }) => ({ uri: path, text: Buffer.from(bytes).toString("utf8") }));
}
