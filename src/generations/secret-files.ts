import { type FileWatch, watchFiles } from "../files/watch.ts";

/** Watches the files behind `${file:PATH}`: a rotated secret is a new configuration although no text of it has changed. */
export interface SecretFiles {
  /** Watches these files, in place of those before. */
  watch(paths: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export function watchSecrets(host: { changed(): void; failed(error: Error): void }): SecretFiles {
  let watched: readonly string[] = [];
  let current: FileWatch | undefined;
  const stop = async (): Promise<void> => {
    await current?.close();
    current = undefined;
  };
  return {
    async watch(paths) {
      if (paths.length === watched.length && paths.every((path) => watched.includes(path))) return;
      await stop();
      watched = [...paths];
      current = await watchFiles(paths, (state) => (state.kind === "failed" ? host.failed(state.error) : host.changed()));
    },
    close: stop,
  };
}
