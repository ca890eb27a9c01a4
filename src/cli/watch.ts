import { type ChildProcess, spawn } from "node:child_process";
import { watch } from "node:fs";

/** How long files must be quiet before the command runs again, milliseconds: editors write in several steps. */
const quietMs = 150;

/**
 * Runs this command line without `--watch`, in a process of its own, which knows only what is on disk now, and once more after each change
 * of code, YAML or JSON below the folders. Never resolves: the user ends it.
 */
export function rerunOnChange(folders: readonly string[]): Promise<never> {
  const [, ...args] = process.argv.filter((argument) => argument !== "--watch");
  let running: ChildProcess | undefined;
  let again = false;
  const run = (): void => {
    again = running !== undefined;
    if (again) return;
    running = spawn(process.execPath, [...process.execArgv, ...args], { stdio: ["ignore", "inherit", "inherit"] });
    running.on("close", () => {
      running = undefined;
      if (again) run();
      else process.stderr.write("waiting for changes; ctrl-c ends\n");
    });
  };
  let quiet: NodeJS.Timeout | undefined;
  const changed = (file: string | null): void => {
    if (file !== null && !/^(?!.*node_modules).*\.(?:[cm]?[jt]s|ya?ml|json)$/.test(file)) return;
    clearTimeout(quiet);
    quiet = setTimeout(run, quietMs);
  };
  return new Promise((_, reject) => {
    for (const folder of new Set(folders)) watch(folder, { recursive: true }, (_event, file) => changed(file)).on("error", reject);
    run();
  });
}
