/** The lock is an input: what it says is what is built, or the build stops. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { readLock } from "../../builder/distribution/lock.ts";
import type { BuildEvent } from "../../builder/events.ts";
import { lockedAddons } from "../../builder/locked-addons.ts";
import { expectGolden } from "../config/goldens.ts";
import { testSchemas } from "../config/support.ts";
import { buildIn, type Files, folderWith, tinyPolicy, writeFiles } from "./support.ts";

// A build is several processes, which a busy machine lets wait.
vi.setConfig({ testTimeout: 120_000 });

const tiny: Files = { "distribution.yaml": "name: tiny\nversion: 1.0.0\npolicies:\n  - folder: policies\n", ...tinyPolicy("greet") };
/** Enough to make and to check a lock. */
const steps = new Set(["discover", "validate", "generate"] as const);

describe("a lock file", () => {
  test("is written by the first build; a locked build from it changes nothing and succeeds", async () => {
    const folder = await folderWith(tiny);
    expect((await buildIn(folder, { steps })).succeeded).toBe(true);
    const lock = await readFile(join(folder, "distribution.lock"), "utf8");
    expect(Object.keys(readLock(lock, testSchemas()).policies)).toEqual(["greet@1.0.0"]);
    expect(await buildIn(folder, { lock: "enforce", steps })).toMatchObject({ succeeded: true, text: "" });
    expect(await readFile(join(folder, "distribution.lock"), "utf8")).toBe(lock);
  });

  test("is demanded by a locked build", async () => {
    golden("lock-missing", (await buildIn(await folderWith(tiny), { lock: "enforce", steps })).text);
  });

  test("that is damaged stops the build, unless it is written anew", async () => {
    const folder = await folderWith({ ...tiny, "distribution.lock": '{ "lockVersion": 2 }' });
    golden("lock-unreadable", (await buildIn(folder, { steps })).text);
    expect((await buildIn(folder, { lock: "renew", steps })).succeeded).toBe(true);
    expect((await buildIn(folder, { lock: "enforce", steps })).succeeded).toBe(true);
  });

  test("holds a folder to its hash only when the build is locked; taken over, the change is said", async () => {
    const folder = await folderWith(tiny);
    await buildIn(folder, { steps });
    const before = await readFile(join(folder, "distribution.lock"), "utf8");
    const changed = (tiny["policies/greet/v1.0.0/index.ts"] ?? "").replace("x-greet", "x-greeting");
    await writeFiles(folder, { "policies/greet/v1.0.0/index.ts": changed });
    const locked = await buildIn(folder, { lock: "enforce", steps });
    golden("lock-changed", locked.text);
    expect(await readFile(join(folder, "distribution.lock"), "utf8")).toBe(before);
    expect(notices((await buildIn(folder, { steps })).events)).toEqual([
      expect.stringContaining("the policy greet@1.0.0: "),
      expect.stringContaining("distribution.lock is renewed"),
    ]);
    expect((await buildIn(folder, { lock: "enforce", steps })).succeeded).toBe(true);
  });

  test("is not written by a build that fails", async () => {
    const folder = await folderWith({ ...tiny, "policies/greet/v1.0.0/index.ts": "export default 1;\n" });
    expect((await buildIn(folder)).succeeded).toBe(false);
    await expect(readFile(join(folder, "distribution.lock"))).rejects.toThrow("ENOENT");
  });
});

test("what was looked at is what is built, also when somebody edits it meanwhile", async () => {
  const folder = await folderWith(tiny);
  const file = join(folder, "policies/greet/v1.0.0/index.ts");
  const before = tiny["policies/greet/v1.0.0/index.ts"] ?? "";
  const built = await buildIn(folder, {}, ({ event, step }) => {
    if (event === "finished" && step === "validate") writeFileSync(file, `import "node:fs";\n${before.replace("x-greet", "x-edited")}`);
  });
  expect(built).toMatchObject({ succeeded: true, text: "" });
  const program = await readFile(join(folder, "out/engine.mjs"), "utf8");
  expect(program).toContain("x-greet");
  expect(program).not.toContain("x-edited");
});

describe("a tarball", () => {
  const manifest = "name: tiny\nversion: 1.0.0\npolicies:\n  - tarball: greet.tgz\n";

  test("is unpacked and built; another one in its place is refused, whatever the lock is for", async () => {
    const folder = await folderWith({ "distribution.yaml": manifest, ...packageFiles("a", "1.0.0"), ...packageFiles("b", "1.0.0") });
    await pack(join(folder, "a"), join(folder, "greet.tgz"));
    expect(await buildIn(folder)).toMatchObject({ succeeded: true, text: "" });
    await writeFile(join(folder, "b/index.ts"), "export default { create: () => ({ request: () => ({ status: 200 }) }) };\n");
    await pack(join(folder, "b"), join(folder, "greet.tgz"));
    for (const lock of ["use", "enforce"] as const) {
      const { succeeded, text } = await buildIn(folder, { lock, steps });
      expect(succeeded).toBe(false);
      golden("lock-integrity", text.replace(/sha512-\S+/g, "sha512-..."));
    }
    expect((await buildIn(folder, { lock: "renew", steps })).succeeded).toBe(true);
  });
});

describe("the RE2 addon", () => {
  const where = { position: { uri: "distribution.lock", line: 1, column: 1 }, path: "" };
  const addon = (hash: string, origin: "prebuilt" | "compiled") => ({ platform: "linux-x64-137", path: "", hash, origin });

  test("is held to its hash when it was prebuilt, and is another one on each machine when it was compiled", () => {
    const prebuilt = { "linux-x64-137": { hash: "a", origin: "prebuilt" } } as const;
    const compiled = { "linux-x64-137": { hash: "a", origin: "compiled" } } as const;
    expect(lockedAddons(prebuilt, addon("a", "prebuilt"), "enforce", where)).toEqual(prebuilt);
    expect(() => lockedAddons(prebuilt, addon("b", "prebuilt"), "use", where)).toThrow(
      "linux-x64-137 has been replaced: locked a, found b",
    );
    expect(lockedAddons(prebuilt, addon("b", "prebuilt"), "renew", where)).toEqual({ "linux-x64-137": { hash: "b", origin: "prebuilt" } });
    expect(lockedAddons(compiled, addon("b", "compiled"), "enforce", where)).toEqual(compiled);
    expect(lockedAddons({}, addon("a", "prebuilt"), "use", where)).toEqual(prebuilt);
    expect(lockedAddons(prebuilt, undefined, "enforce", where)).toEqual(prebuilt);
  });
});

function golden(name: string, text: string): void {
  expectGolden(fileURLToPath(new URL(`goldens/${name}.golden.txt`, import.meta.url)), `${text}\n`);
}

function notices(events: readonly BuildEvent[]): readonly string[] {
  return events.flatMap((event) => (event.event === "notice" ? [event.text] : []));
}

function packageFiles(folder: string, version: string): Files {
  return { ...tinyPolicy("greet", version, folder), [`${folder}/package.json`]: `{ "name": "policy-greet", "version": "${version}" }` };
}

async function pack(folder: string, file: string): Promise<void> {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--json", "--pack-destination", join(folder, "..")], { cwd: folder });
  const [packed] = /[\w.-]+\.tgz/.exec(stdout) ?? [];
  if (packed === undefined) throw new Error(`npm pack says ${stdout}`);
  await rename(join(folder, "..", packed), file);
}
