import { execFile } from "node:child_process";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { layOut } from "../../scripts/image/lay-out.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";

// Several processes, which a busy machine lets wait.
vi.setConfig({ testTimeout: 120_000 });

const policyEngine = (folder: string, ...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [join(folder, "bin/policy-engine.mjs"), ...args], { cwd: root });

test("what goes into the image runs on its own, without tests", async () => {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  await layOut(root, path, "engine");

  expect((await policyEngine(path, "list")).stdout).toEqual((await policyEngine(root, "list")).stdout);
  const checked = ["validate", "--bind", "configs/demo/policies.yaml", "--settings", "configs/demo/settings.yaml"];
  expect(await policyEngine(path, ...checked)).toEqual(await policyEngine(root, ...checked));

  const files = await readdir(path, { recursive: true });
  expect(files.filter((name) => name.endsWith(".test.ts"))).toEqual([]);
});

test("everybody can read it, also from a checkout that only its owner can", async () => {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  const [checkout, target] = [join(path, "checkout"), join(path, "image")];
  for (const name of [
    "LICENSE",
    "package.json",
    "package-lock.json",
    "bin/run",
    "builder/a.ts",
    "src/a.ts",
    "policies/a.ts",
    "templates/a.ts",
  ]) {
    await mkdir(dirname(join(checkout, name)), { recursive: true, mode: 0o700 });
    await writeFile(join(checkout, name), '{ "packages": {} }', { mode: name === "bin/run" ? 0o700 : 0o600 });
  }
  await layOut(checkout, target, "engine");
  const modes = await Promise.all(
    ["", "src", "src/a.ts", "bin/run"].map(async (name) => ((await stat(join(target, name))).mode & 0o777).toString(8)),
  );
  expect(modes).toEqual(["755", "755", "644", "755"]);
});
