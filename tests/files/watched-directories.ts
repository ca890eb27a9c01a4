import { readdirSync, readFileSync } from "node:fs";

/** The inode numbers of the directories that this process watches, as Linux tells them. */
export function watchedDirectories(): number[] {
  return readdirSync("/proc/self/fdinfo").flatMap((descriptor) => {
    try {
      const watches = readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8").matchAll(/^inotify wd:\w+ ino:(\w+)/gm);
      return [...watches].map(([, ino = ""]) => Number.parseInt(ino, 16));
    } catch {
      // The descriptor of the listing itself is gone by now.
      return [];
    }
  });
}
