/** `policy-engine test` as a command: what it runs, what it prints where, how it ends. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { expectGolden } from "../config/goldens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const command = join(root, "bin/policy-engine.mjs");

function run(cwd: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, "test", ...args], { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** A policy that is not compiled in, in a folder of its own. */
const files = {
  "gate/v1.0.0/policy.yaml": "name: gate\nversion: 1.0.0\nsummary: Lets nobody in.\nsdk: 1\n",
  "gate/v1.0.0/index.ts":
    'import { status } from "./status.ts";\nexport default { create: () => ({ request: () => ({ status, code: "closed" as string }) }) };\n',
  "gate/v1.0.0/status.ts": "export const status: number = 403;\n",
  "gate/v1.0.0/cases.yaml":
    "cases:\n  - name: closed\n    expect: { reply: { status: 403 } }\n  - name: shut\n    expect: { reply: { code: closed } }\n",
};

function folderWith(changes: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "policy-engine-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries({ ...files, ...changes })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("the example configurations keep what their cases promise", () => {
  expect(run(root, "configs")).toMatchObject({ status: 0, stdout: expect.stringMatching(/\n13 passed, 0 failed\n$/), stderr: "" });
});

test("without a path the policies that are compiled in are tested", () => {
  const { status, stdout } = run(root, "--filter", "A RULE ALLOWS and says so");
  expect([status, stdout]).toEqual([0, "policies/authorize/v1.0.0/cases.yaml\n  ok     a rule allows and says so\n1 passed, 0 failed\n"]);
});

test("a policy need not be compiled in, and cases may be in several files", () => {
  const more = { "gate/v1.0.0/more.cases.yaml": "cases:\n  - name: open\n    expect: { request: {} }\n" };
  expect(run(folderWith(more), "gate")).toEqual({
    status: 1,
    stdout: `gate/v1.0.0/cases.yaml
  ok     closed
  ok     shut
gate/v1.0.0/more.cases.yaml
  FAILED open
         gate/v1.0.0/more.cases.yaml:3:13: expect.reply: happened, and was not expected
           found    { status: 403, code: 'closed' }
         gate/v1.0.0/more.cases.yaml:3:24: expect.request: did not happen
           expected {}
2 passed, 1 failed
`,
    stderr: "",
  });
});

test("what is not compiled in is run as it is written now", () => {
  const folder = folderWith({ "gate/v1.0.0/status.ts": "export const status: number = 404;\n" });
  expect(run(folder, "gate", "--filter", "closed").stdout).toContain("found    404");
});

test("what cannot be run is a finding, and the others are run", () => {
  const folder = folderWith({
    "a/cases.yaml": "cases: 1\n",
    "b/cases.yaml": "cases:\n  - name: about nothing\n",
    "c/cases.yaml": "config: [nothing.yaml]\ncases:\n  - { name: about nothing, route: a }\n",
    "d/v1.0.0/policy.yaml": "name: d\n",
    "d/v1.0.0/cases.yaml": "cases: [{ name: a }]\n",
    "e/v1.0.0/policy.yaml": "name: e\nversion: 1.0.0\nsummary: Loads nothing.\nsdk: 1\n",
    "e/v1.0.0/index.ts": 'import "left-pad";\nexport default {};\n',
    "e/v1.0.0/cases.yaml": "cases: [{ name: a }]\n",
    "f/v1.0.0/policy.yaml": "name: f\nversion: 1.0.0\nsummary: Exports nothing.\nsdk: 1\n",
    "f/v1.0.0/index.ts": "export default {};\n",
    "f/v1.0.0/cases.yaml": "cases: [{ name: a }]\n",
  });
  const { status, stdout } = run(folder, ".");
  expect(status).toBe(1);
  expectGolden(
    join(import.meta.dirname, "cannot-be-run.golden.txt"),
    stdout.replaceAll(`${folder}/`, "").replaceAll(`${realpathSync(folder)}/`, ""),
  );
});

test("--json and --junit say the same", () => {
  const folder = folderWith({ "gate/v1.0.0/more.cases.yaml": 'cases:\n  - name: "<&\\e>"\n    expect: { request: {} }\n' });
  const { status, stdout } = run(folder, "gate", "--json", "--junit", "out.xml");
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    passed: 2,
    failed: 1,
    unread: 0,
    files: [
      { uri: "gate/v1.0.0/cases.yaml", problems: [], cases: [{ name: "closed", passed: true, differences: [] }, { name: "shut" }] },
      {
        uri: "gate/v1.0.0/more.cases.yaml",
        cases: [{ passed: false, position: { line: 2, column: 5 }, differences: [{ path: "expect.reply" }, {}] }],
      },
    ],
  });
  const xml = readFileSync(join(folder, "out.xml"), "utf8").replace(/ time="[\d.]+"/g, "");
  expect(xml).toContain('<testsuite name="gate/v1.0.0/cases.yaml" tests="2" failures="0" errors="0">');
  expect(xml).toContain(
    '<testcase name="&lt;&amp;\uFFFD&gt;" classname="gate/v1.0.0/more.cases.yaml" file="gate/v1.0.0/more.cases.yaml" line="2"><failure message="expect.reply: ',
  );
});

test("--update writes down what came out, and then everything passes", () => {
  const folder = folderWith({
    "gate/v1.0.0/cases.yaml":
      "cases:\n  - name: a # kept\n    expect: { reply: { status: 200 } }\n  - name: b\n  - name: c\n    expect: { request: {} }\n",
  });
  const { status, stdout, stderr } = run(folder, "gate", "--update");
  expect([status, stderr]).toEqual([0, "gate/v1.0.0/cases.yaml: 3 updated\n"]);
  expect(stdout).toMatch(/3 passed, 0 failed\n$/);
  expect(readFileSync(join(folder, "gate/v1.0.0/cases.yaml"), "utf8")).toBe(
    "cases:\n  - name: a # kept\n    expect: { reply: { status: 403 } }\n  - name: b\n    expect: { reply: { status: 403, code: closed } }\n  - name: c\n    expect: { reply: { status: 403, code: closed } }\n",
  );
});

test("misuse ends with 2", () => {
  const folder = folderWith();
  expect(run(folder, "gate", "--filter", "nobody").status).toBe(2);
  expect(run(folder, "missing").status).toBe(2);
  mkdirSync(join(folder, "empty"));
  expect(run(folder, "empty")).toMatchObject({ status: 2, stderr: expect.stringContaining("empty: there is no cases.yaml") });
  expect(run(folder, "missing")).toMatchObject({ status: 2, stderr: "policy-engine: `missing` does not exist; name another path\n" });
});

test("--watch runs again after a change, with what is on disk then", async () => {
  const folder = folderWith();
  const child = spawn(process.execPath, [command, "test", "gate", "--watch"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill());
  const waiting = createInterface(child.stderr)[Symbol.asyncIterator]();
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  await waiting.next();
  expect(output).toMatch(/2 passed, 0 failed\n$/);
  output = "";
  writeFileSync(join(folder, "gate/v1.0.0/status.ts"), "export const status: number = 404;\n");
  await waiting.next();
  expect(output).toMatch(/1 passed, 1 failed\n$/);
});
