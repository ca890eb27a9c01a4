/**
 * Keeps a system watch on each directory that files are reached through.
 */
import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { belongsToFolder } from "./read-files.ts";
import { type Interest, type WatchPlan, watchPlan } from "./watch-plan.ts";

export interface WatchedDirectories {
  /** Watches what the paths lead through now. Afterwards every change of the way or of the files is noticed. */
  follow(paths: readonly string[]): Promise<void>;
  close(): void;
}

/**
 * Calls `noticed` after each event that may concern the paths followed last. `onUnwatchable` is told once per directory, and again if it
 * could be watched in between.
 */
export function watchDirectories(noticed: () => void, onUnwatchable: (directory: string, error: Error) => void): WatchedDirectories {
  const watched = new Map<string, WatchedDirectory>();
  const unwatchable = new Set<string>();
  let closed = false;

  return {
    async follow(paths) {
      // A link may be replaced between finding the way and watching it, so the way is found again until it adds nothing new.
      for (let round = 0; round < followRoundsMax; round++) {
        if (!(await watchExactly(await watchPlan(paths)))) return;
      }
    },
    close() {
      closed = true;
      for (const directory of watched.keys()) release(directory);
    },
  };

  /** Returns whether a directory came to be watched. */
  async function watchExactly(plan: WatchPlan): Promise<boolean> {
    let added = false;
    for (const directory of watched.keys()) if (!plan.has(directory)) release(directory);
    for (const [directory, interest] of plan) {
      const identity = await identityOf(directory);
      if (closed) return false;
      const known = watched.get(directory);
      if (known !== undefined && known.identity === identity) known.interest = interest;
      else if (identity !== undefined) added = begin(directory, identity, interest) || added;
    }
    return added;
  }

  function begin(directory: string, identity: string, interest: Interest): boolean {
    release(directory);
    try {
      const watcher = watch(directory, { persistent: false });
      const entry: WatchedDirectory = { watcher, identity, interest };
      watched.set(directory, entry);
      unwatchable.delete(directory);
      watcher.on("change", (_kind, name) => heard(directory, entry, name === null ? undefined : name.toString()));
      watcher.on("error", (error) => {
        giveUp(directory, error);
        noticed();
      });
      return true;
    } catch (error) {
      giveUp(directory, error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }

  function heard(directory: string, entry: WatchedDirectory, name: string | undefined): void {
    if (watched.get(directory) !== entry) return;
    // The directory's own name: it was moved or deleted, and this watch stays with what is not there any more. The next directory of the
    // same path cannot be told by its number, which may be the old one's.
    if (name === basename(directory)) release(directory);
    else if (name !== undefined && !matters(entry.interest, name)) return;
    noticed();
  }

  function giveUp(directory: string, error: Error): void {
    release(directory);
    if (unwatchable.has(directory)) return;
    unwatchable.add(directory);
    onUnwatchable(directory, error);
  }

  function release(directory: string): void {
    watched.get(directory)?.watcher.close();
    watched.delete(directory);
  }
}

interface WatchedDirectory {
  readonly watcher: FSWatcher;
  /** Which directory this name stood for when the watch began. */
  readonly identity: string;
  interest: Interest;
}

const followRoundsMax = 5;

function matters({ names, folder }: Interest, name: string): boolean {
  return names.has(name) || (folder && belongsToFolder(name));
}

async function identityOf(directory: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(directory, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
