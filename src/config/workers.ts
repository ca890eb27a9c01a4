/** How many processes answer Envoy, and where each of them listens. */
import { problem } from "../errors.ts";
import { addressText, type ListenAddress, socketPathBytesMax } from "./addresses.ts";
import type { Place } from "./node.ts";
import { at, type Report, readInteger, wrongType } from "./read.ts";

/** `auto`: one for each processor that the process may use. */
export type Workers = number | "auto";

export const workersMax = 64;

export function readWorkers(place: Place | undefined, report: Report): Workers {
  if (place === undefined) return 1;
  const value = place.node.kind === "scalar" ? place.node.value : undefined;
  if (value === "auto") return value;
  if (typeof value === "number") return readInteger(place, { what: "the number of workers", min: 1, max: workersMax }, report) ?? 1;
  report(wrongType(place, "a whole number or `auto`"));
  return 1;
}

/** @param processors how many there are, for `auto` */
export function workerCount(workers: Workers, processors: number): number {
  return workers === "auto" ? Math.min(Math.max(1, processors), workersMax) : workers;
}

/**
 * Where the worker with this index, from 0, listens: the first one as the settings say, each next one at the next port, or at the path with `.1`,
 * `.2` and so on behind it. Port 0 asks the system for a free one, each time.
 */
export function workerAddress(address: ListenAddress, index: number): ListenAddress {
  if (index === 0) return address;
  if (address.kind === "unix") return { kind: "unix", path: `${address.path}.${index}` };
  return address.port === 0 ? address : { ...address, port: address.port + index };
}

/** Where all of them listen. */
export function workerAddresses(listen: readonly ListenAddress[], count: number): readonly ListenAddress[] {
  return Array.from({ length: count }, (_, index) => listen.map((address) => workerAddress(address, index))).flat();
}

/** Reports addresses that the workers after the first one cannot have. With `auto` of as many as there may be: settings fit each machine or none. */
export function reportWorkerAddresses(
  place: Place | undefined,
  workers: Workers,
  listen: readonly ListenAddress[],
  admin: ListenAddress,
  report: Report,
): void {
  if (place === undefined || workers === 1) return;
  const count = workerCount(workers, workersMax);
  const taken = new Set([addressText(admin), ...listen.map(addressText)]);
  const conflict = (detail: string, remedy: string): void => report(problem("settings-contradiction", at(place), { detail, remedy }));
  for (const address of listen) {
    if (address.kind === "tcp" && address.port === 0) continue;
    for (let index = 1; index < count; index++) {
      const next = workerAddress(address, index);
      const text = addressText(next);
      const what = `worker ${index} of up to ${count} would listen on \`${text}\``;
      if (next.kind === "tcp" && next.port > 65_535) return conflict(`${what}, and ports end at 65535`, "lower the port in `listen`");
      if (next.kind === "unix" && Buffer.byteLength(next.path) > socketPathBytesMax)
        return conflict(`${what}, and a path has at most ${socketPathBytesMax} bytes`, "shorten the path in `listen`");
      if (taken.has(text))
        return conflict(
          `${what}, which is used already`,
          'leave the next ports after each one in `listen` to the workers, such as with `listen: ["tcp:127.0.0.1:9200"]`, or listen on a Unix socket',
        );
      taken.add(text);
    }
  }
}
