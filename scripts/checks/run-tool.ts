import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../cache.mjs";

/**
 * Runs a tool of `node_modules/.bin` in the checkout.
 *
 * @returns nothing when it ends with 0, else all that it printed as one fault
 */
export async function runTool(tool: string, args: readonly string[]): Promise<readonly string[]> {
  const output: Buffer[] = [];
  const child = spawn(join(root, "node_modules/.bin", tool), args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return code === 0 ? [] : [`${tool} ${args.join(" ")} ended with ${code}\n${Buffer.concat(output).toString("utf8").trim()}`];
}
