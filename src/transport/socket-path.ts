import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

/**
 * Removes a socket file that a killed process has left behind. Rejects when something is listening on it, or when the path is no socket:
 * nothing of somebody else's is deleted.
 */
export async function freeSocketPath(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`cannot listen on unix:${path}: the path exists and is no socket`);
  if (await answers(path)) throw new Error(`cannot listen on unix:${path}: another process is listening there`);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
