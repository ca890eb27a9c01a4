/** `policy-engine new`: what it makes passes everything, but for the one case that is there to start from. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createPolicy } from "../../builder/new-policy.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function run(cwd: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/policy-engine.mjs"), ...args], { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "policy-engine-new-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a new policy passes everything but one case, and the README says what to change", () => {
  const folder = emptyFolder();
  const made = run(folder, "new", "tenant-header", "--dir", "ours");
  expect(made).toMatchObject({ status: 0, stdout: "ours/tenant-header/v1.0.0\n" });
  const policy = join(folder, "ours/tenant-header/v1.0.0");
  expect(readdirSync(policy).sort()).toEqual(["README.md", "cases.yaml", "index.ts", "parameters.ts", "policy.yaml"]);
  expect(run(folder, "lint", "ours")).toEqual({ status: 0, stdout: "", stderr: "fine\n" });
  expect(run(folder, "test", "ours")).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/FAILED an empty header is no header[\s\S]*\n2 passed, 1 failed\n$/),
  });

  expect(readFileSync(join(policy, "README.md"), "utf8")).toContain("replace `has` by `get`");
  const code = readFileSync(join(policy, "index.ts"), "utf8");
  writeFileSync(join(policy, "index.ts"), code.replace("headers.has(", "headers.get("));
  expect(run(folder, "test", "ours")).toMatchObject({ status: 0, stdout: expect.stringMatching(/\n3 passed, 0 failed\n$/) });
  for (const file of readdirSync(policy)) expect(readFileSync(join(policy, file), "utf8")).not.toContain("example-policy");
});

test("what is there already stays as it is, and what is no name makes nothing", async () => {
  const folder = emptyFolder();
  const create = (name: string) => createPolicy({ name, directory: folder, engineRoot: root });
  mkdirSync(join(folder, "mine/v1.0.0"), { recursive: true });
  writeFileSync(join(folder, "mine/v1.0.0/index.ts"), "mine");
  await expect(create("mine")).rejects.toThrow("mine/v1.0.0 is there already");
  expect(readdirSync(join(folder, "mine/v1.0.0"))).toEqual(["index.ts"]);
  for (const name of ["Mine", "../mine", "mine/", "my_mine", "-mine", "", "lib", "a".repeat(64)]) {
    await expect(create(name)).rejects.toThrow("cannot name a policy");
  }
  expect(readdirSync(folder)).toEqual(["mine"]);
});

test("editors find the schemas from a policy in the checkout; one elsewhere does not depend on where that is", async () => {
  const engineRoot = emptyFolder();
  for (const [file, text] of Object.entries({
    "policy.yaml": "# yaml-language-server: $schema=../../schemas/manifest.schema.json\nname: example-policy\n",
  })) {
    mkdirSync(join(engineRoot, "templates/policy"), { recursive: true });
    writeFileSync(join(engineRoot, "templates/policy", file), text);
  }
  const inside = await createPolicy({ name: "a", directory: join(engineRoot, "policies"), engineRoot });
  const outside = await createPolicy({ name: "a", directory: emptyFolder(), engineRoot });
  expect(readFileSync(join(inside, "policy.yaml"), "utf8")).toBe(
    "# yaml-language-server: $schema=../../../schemas/manifest.schema.json\nname: a\n",
  );
  expect(readFileSync(join(outside, "policy.yaml"), "utf8")).toBe("name: a\n");
});
