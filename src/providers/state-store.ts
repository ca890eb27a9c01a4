import { join } from "node:path";
import { readChecked, removeLeftovers, writeChecked } from "../files/checked-file.ts";
import { decodeState, encodeState, type SavedState } from "./saved-state.ts";

/** Keeps the generation that was in use last on disk. One engine has one folder. */
export interface StateStore {
  /** What an earlier process has saved. Never rejects. */
  load(): Promise<LoadedState>;
  /** Saves in the background, one state at a time and the newest next: nothing that is served waits for a disk. Tries again each minute. */
  save(state: SavedState): void;
  status(): StoreStatus;
  /** Resolves when what was to be saved is on disk, or has failed. */
  close(): Promise<void>;
}

export type LoadedState =
  | { readonly kind: "loaded"; readonly state: SavedState }
  | { readonly kind: "nothing" }
  | { readonly kind: "broken"; readonly reason: string };

export interface StoreStatus {
  readonly path: string;
  /** Number of the generation that is on disk. */
  readonly generation: number | undefined;
  /** Why the newest one is not. */
  readonly failure: string | undefined;
}

export interface StateStoreHost {
  /** Told each time that the newest state cannot be saved. */
  failed(path: string, error: unknown): void;
  startTimer(milliseconds: number, expired: () => void): () => void;
}

/** When what could not be saved is tried again, milliseconds. */
const retryMs = 60_000;

export function createStateStore(folder: string, host: StateStoreHost): StateStore {
  const path = join(folder, "last-good-generation");
  let next: SavedState | undefined;
  let busy = false;
  let writing: Promise<void> = Promise.resolve();
  let onDisk = "";
  let generation: number | undefined;
  let failure: string | undefined;
  let stopRetry = (): void => {};

  return {
    async load() {
      await removeLeftovers(path);
      const read = await readChecked(path);
      if (read.kind === "missing") return { kind: "nothing" };
      if (read.kind === "broken") return read;
      const state = decodeState(read.text);
      if (state === undefined) return { kind: "broken", reason: "it was written by another version of the engine" };
      onDisk = read.text;
      generation = state.generation;
      return { kind: "loaded", state };
    },
    save,
    status: () => ({ path, generation, failure }),
    async close() {
      await writing;
      stopRetry();
    },
  };

  function save(state: SavedState): void {
    next = state;
    if (busy) return;
    busy = true;
    writing = write();
  }

  async function write(): Promise<void> {
    while (next !== undefined) {
      const state = next;
      next = undefined;
      const text = encodeState(state);
      if (text === onDisk) continue;
      try {
        await writeChecked(path, text);
        [onDisk, generation, failure] = [text, state.generation, undefined];
        stopRetry();
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        host.failed(path, error);
        stopRetry();
        stopRetry = host.startTimer(retryMs, () => save(state));
      }
    }
    busy = false;
  }
}
