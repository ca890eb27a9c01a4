import { runCommand } from "./run-command.ts";

/** The commit of the repository that a folder is in; undefined where there is no git, or no repository. */
export async function sourceCommit(folder: string): Promise<string | undefined> {
  const asked = await runCommand("git", ["rev-parse", "--verify", "HEAD"], { cwd: folder }).catch(() => undefined);
  return asked?.code === 0 ? asked.stdout.trim() : undefined;
}
