/**
 * Which directories must be watched so that no way of replacing a file goes unnoticed.
 */
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, parse, resolve, sep } from "node:path";
import { belongsToFolder } from "./read-files.ts";

/** What matters inside one directory. */
export interface Interest {
  /** Entries whose appearance, disappearance or change matters. */
  readonly names: ReadonlySet<string>;
  /** Whether the directory is a configured folder: every file that belongs to a folder matters, also one that is not there yet. */
  readonly folder: boolean;
}

/** Absolute path of an existing directory, without symbolic links, to what matters in it. */
export type WatchPlan = ReadonlyMap<string, Interest>;

/**
 * Follows every path through its symbolic links to what it stands for. Watched are: the directory of each link on the way (a Kubernetes
 * volume is replaced by renaming its link `..data`), the real directory, and where the way ends early, the last directory that exists.
 * A watch on the file itself would not do: it goes blind at the first rename.
 */
export async function watchPlan(paths: readonly string[]): Promise<WatchPlan> {
  const plan = new Map<string, { names: Set<string>; folder: boolean }>();
  const look = lookOnce();

  for (const path of paths) {
    const end = await follow(resolve(path), linksMax);
    if (end === undefined || (await look(end)).kind !== "directory") continue;
    interestIn(end).folder = true;
    for (const name of await entriesOf(end)) await follow(join(end, name), linksMax);
  }
  return plan;

  /** Returns where the path ends, undefined when that does not exist. */
  async function follow(path: string, linksLeft: number): Promise<string | undefined> {
    const { root } = parse(path);
    const parts = path.slice(root.length).split(sep).filter(Boolean);
    let here = root;
    for (const [at, name] of parts.entries()) {
      const next = join(here, name);
      const found = await look(next);
      const last = at === parts.length - 1;
      if (last || found.kind !== "directory") interestIn(here).names.add(name);
      if (found.kind === "link") {
        return linksLeft === 0 ? undefined : follow(resolve(here, found.target, ...parts.slice(at + 1)), linksLeft - 1);
      }
      if (found.kind === "missing" || (found.kind === "file" && !last)) return undefined;
      here = next;
    }
    return here;
  }

  function interestIn(directory: string): { names: Set<string>; folder: boolean } {
    const known = plan.get(directory);
    if (known !== undefined) return known;
    const added = { names: new Set<string>(), folder: false };
    plan.set(directory, added);
    return added;
  }
}

/** As many as Linux follows before it says ELOOP. */
const linksMax = 40;

type Entry = { readonly kind: "missing" | "file" | "directory" } | { readonly kind: "link"; readonly target: string };

/** Looks at each path once: the paths of one plan share most of their way. */
function lookOnce(): (path: string) => Promise<Entry> {
  const seen = new Map<string, Promise<Entry>>();
  return (path) => {
    const known = seen.get(path) ?? look(path);
    seen.set(path, known);
    return known;
  };
}

async function look(path: string): Promise<Entry> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return { kind: "link", target: await readlink(path) };
    return { kind: stats.isDirectory() ? "directory" : "file" };
  } catch {
    // Unreadable counts as missing: reading the file reports the reason, and the watch on the directory above notices the mending.
    return { kind: "missing" };
  }
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter(belongsToFolder);
  } catch {
    return [];
  }
}
