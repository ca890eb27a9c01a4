/** `policy-engine lint` as a command; what it finds is held by tests/builder/trees. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function run(cwd: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/policy-engine.mjs"), "lint", ...args], {
    cwd,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const policy = {
  "demo/v1.0.0/policy.yaml":
    "name: demo\nversion: 1.0.0\nsummary: Does nothing.\nsdk: 1\nparameters:\n  type: object\n  additionalProperties: false\n  properties:\n    size: { description: How large., type: integer, examples: [1] }\n",
  "demo/v1.0.0/index.ts": "export default { create: () => ({}) };\n",
  "demo/v1.0.0/cases.yaml": "cases: [{ name: passes, parameters: { size: 1 }, expect: { request: {} } }]\n",
  "demo/v1.0.0/README.md": "# demo\n",
  "demo/v1.0.0/node_modules/dependency/policy.yaml": "not: looked at\n",
};

function folderWith(changes: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "policy-engine-lint-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries({ ...policy, ...changes })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("finds policies below a folder, says what is wrong with them, and --fix mends what is generated", () => {
  const folder = folderWith();
  expect(run(folder, ".")).toEqual({
    status: 1,
    stdout:
      "demo/v1.0.0/policy.yaml:1:1: error[policy-file-missing] there is no parameters.ts: it has the types of the policy's parameters\n" +
      "  help: run `policy-engine lint --fix`, which writes it\n",
    stderr: "1 problem\n",
  });
  expect(run(folder, "demo/v1.0.0/", "--fix")).toEqual({ status: 0, stdout: "", stderr: "fine\n" });
  expect(readFileSync(join(folder, "demo/v1.0.0/parameters.ts"), "utf8")).toContain("readonly size?: number;");
});

test("--preset strict adds what users would miss, --json is a list", () => {
  const folder = folderWith({ "demo/v1.0.0/parameters.ts": "" });
  const { status, stdout } = run(folder, "demo", "--preset", "strict", "--json");
  const found: readonly { readonly code: string }[] = JSON.parse(stdout);
  expect([status, [...new Set(found.map(({ code }) => code))]]).toEqual([1, ["publish-readme", "parameters-stale", "publish-package"]]);
});

test("misuse ends with 2", () => {
  const folder = folderWith({ "empty/file.txt": "" });
  expect(run(folder, "empty")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("empty: there is no policy.yaml here and below"),
  });
  expect(run(folder, "demo/v1.0.0/policy.yaml").status).toBe(2);
  expect(run(folder, "missing")).toMatchObject({ status: 2, stderr: "policy-engine: `missing` does not exist; name another path\n" });
  expect(run(folder, "demo", "--preset", "loose").status).toBe(2);
});
