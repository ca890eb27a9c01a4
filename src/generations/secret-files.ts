import { type FileWatch, watchFiles } from "../files/watch.ts";

/** Watches the files behind `${file:PATH}`: a rotated secret is a new configuration although no text of it has changed. */
export interface SecretFiles {
  /**
   * Watches these files too. A file that is new here may have changed between its reading and the start of its watch: then `changed` is
   * called once all the same.
   */
  watch(paths: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export function watchSecrets(host: { changed(): void; failed(path: string, error: Error): void }): SecretFiles {
  // One watch for each: a file that is away must not hide the changes of the others.
  const watches = new Map<string, FileWatch>();
  return {
    async watch(paths) {
      const added = paths.filter((path) => !watches.has(path));
      for (const path of added) {
        const watch = await watchFiles([path], (state) => (state.kind === "failed" ? host.failed(path, state.error) : host.changed()));
        watches.set(path, watch);
      }
      if (added.length > 0) host.changed();
    },
    async close() {
      await Promise.all([...watches.values()].map((watch) => watch.close()));
      watches.clear();
    },
  };
}
