import type { Log } from "../observe/log.ts";

/** Node would end the process at SIGHUP. Whoever rotates logs or reloads daemons sends it by habit, and there is nothing to do: files are watched. */
export function ignoreHangUp(log: () => Log | undefined): void {
  process.on("SIGHUP", () => log()?.info({}, "SIGHUP changes nothing: configuration, secrets and log files are noticed without it"));
}
