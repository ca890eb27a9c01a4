/** The same lock gives the same bytes, whoever builds, and where. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, readdir, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { listed } from "./distribution.ts";
import { buildIn, type Files, folderWith, tinyPolicy } from "./support.ts";

// A build is several processes, which a busy machine lets wait.
vi.setConfig({ testTimeout: 120_000 });

const files: Files = {
  "distribution.yaml":
    "name: tiny\nversion: 1.0.0\npolicies: [{ folder: policies }, { shipped: jwt-validation@2 }, { shipped: set-header@1 }]\n",
  ...tinyPolicy("greet"),
};

test("two checkouts in other folders, with another umask, time zone and output, build the same bytes from one lock", async () => {
  const first = await folderWith(files);
  expect(await buildIn(first)).toMatchObject({ succeeded: true, text: "" });

  const checkout = join(await folderWith({}), "a checkout/with a space");
  for (const name of ["bin", "builder", "policies", "src", "package.json", "package-lock.json", "tsconfig.json", "LICENSE"]) {
    await cp(join(root, name), join(checkout, name), { recursive: true, verbatimSymlinks: true });
  }
  await symlink(join(root, "node_modules"), join(checkout, "node_modules"));
  const second = await folderWith({ ...files, "distribution.lock": await readFile(join(first, "distribution.lock"), "utf8") });
  const command = `umask 077; exec "$0" "$@"`;
  const build = [join(checkout, "bin/policy-engine.mjs"), "build", "--locked", "--out", "deep/er/gateway"];
  await promisify(execFile)("sh", ["-c", command, process.execPath, ...build], {
    cwd: second,
    env: { ...process.env, TZ: "Pacific/Apia", LANG: "de_DE.UTF-8", POLICY_ENGINE_CACHE: join(second, "cache"), TMPDIR: second },
  });
  expect(await contentsOf(join(second, "deep/er/gateway"))).toEqual(await contentsOf(join(first, "out")));
  for (const file of ["policy-engine.mjs", "engine.mjs", "engine.mjs.map", "build-info.json", "package.json"]) {
    const text = await readFile(join(first, "out", file), "utf8");
    for (const path of [root, first]) expect([file, text.includes(path)]).toEqual([file, false]);
  }
});

test("one distribution holds fifty versions of policies, and nothing of policies that nobody chose", async () => {
  const versions = Array.from({ length: 25 }, (_, minor) => `1.${minor}.0`);
  const policies = ["greet", "mark"].flatMap((name) => versions.map((version) => tinyPolicy(name, version)));
  const folder = await folderWith({
    "distribution.yaml": "name: many\nversion: 1.0.0\npolicies: [{ folder: policies }]\n",
    ...Object.assign({}, ...policies),
  });
  expect(await buildIn(folder)).toMatchObject({ succeeded: true, text: "" });
  const names = (await listed(join(folder, "out"))).map(({ name, version }) => `${name}@${version}`);
  expect(names).toEqual(["greet", "mark"].flatMap((name) => versions.map((version) => `${name}@${version}`)));
  const { sources }: { readonly sources: readonly string[] } = JSON.parse(await readFile(join(folder, "out/engine.mjs.map"), "utf8"));
  expect(sources.filter((source) => /jwt-validation|\/jose\//.test(source))).toEqual([]);
});

/** Path to mode, time and hash. */
async function contentsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true });
  const facts = entries.sort().map(async (name) => {
    const { mode, mtimeMs } = await stat(join(folder, name));
    const content = await readFile(join(folder, name)).catch(() => "");
    return [name, `${mode.toString(8)} ${mtimeMs} ${createHash("sha256").update(content).digest("hex")}`] as const;
  });
  return Object.fromEntries(await Promise.all(facts));
}
