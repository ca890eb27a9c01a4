/** What a process has taken of the processors, by the scheduler's own account: the clock's would count whoever else wants them. */
import { readdirSync, readFileSync } from "node:fs";

/**
 * User and system time of all threads, ms. A thread that ends takes its share with it: the servers that are measured keep theirs.
 *
 * @throws where there is no /proc with schedstat (anything but Linux), or no such process
 */
export function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]));
  return nanoseconds.reduce((sum, own) => sum + own, 0) / 1e6;
}

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kilobytes === undefined) throw new Error(`nothing says how much memory the process ${pid} has`);
  return Number(kilobytes) * 1024;
}
