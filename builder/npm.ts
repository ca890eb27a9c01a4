import type { CommandResult } from "./run-command.ts";
import { runCommand } from "./run-command.ts";

/** Runs npm, which is on every machine that has Node, and knows the user's registries and their passwords. */
export type Npm = (args: readonly string[], cwd: string) => Promise<CommandResult>;

/**
 * @param output gets all that npm says
 */
export function createNpm(output: (text: string) => void): Npm {
  return async (args, cwd) => {
    const result = await runCommand("npm", [...args, ...always], { cwd });
    const said = `${result.stderr}${result.stdout}`.trim();
    if (said !== "") output(`npm ${args.join(" ")}\n${said}`);
    return result;
  };
}

/** Scripts of packages are code of strangers, and nothing here needs one. */
const always = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];

/** What npm complains about, in one line: its codes without the addresses of its log files. */
export function npmComplaint({ stderr, code }: CommandResult): string {
  const lines = stderr
    .split("\n")
    .filter((line) => line.startsWith("npm error"))
    .map((line) => line.replace(/^npm error ?/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("A complete log") && !line.startsWith("code "));
  return lines.slice(0, 3).join(" ") || `npm ended with ${code}`;
}
