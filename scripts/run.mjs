import { spawn } from "node:child_process";
import process from "node:process";

const tickMs = 10_000;

/**
 * Runs a program that may be slow, and says so: `what` at the start, the time gone by every ten seconds.
 *
 * @param {string} what - for people, such as `building the RE2 addon`
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ ok: boolean, output: string }>} whether it ended with 0, and all that it printed; never rejects
 */
export async function run(what, command, args, { cwd = process.cwd(), env = process.env } = {}) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  say(`${what} ...`);
  const ticking = setInterval(() => say(`  still ${what} (${seconds()})`), tickMs);
  /** @type {Buffer[]} */
  const output = [];
  /** @type {boolean} */
  const ok = await new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("error", (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      resolve(false);
    });
    child.on("close", (code) => resolve(code === 0));
  });
  clearInterval(ticking);
  say(`  ${ok ? "done" : "failed"} (${seconds()})`);
  return { ok, output: Buffer.concat(output).toString("utf8") };
}

/**
 * One line to people.
 *
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}
