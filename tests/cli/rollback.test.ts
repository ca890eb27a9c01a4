/** `policy-engine rollback` against a running engine, by what its traffic gets and what both sides say. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holdPort } from "../../scripts/processes/free-port.ts";
import { type Engine, startEngine } from "../../scripts/processes/start-engine.ts";
import { eventually } from "../files/recorder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
let engine: Engine;
let settings: string;

const configuration = (value: string): string => `version: 1
chains: { api: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-a, set: "${value}" }] } }] } }
routes: { orders: api }
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rollback-"));
  writeFileSync(join(folder, "policies.yaml"), configuration("one"));
  const port = await holdPort();
  await port.release();
  settings = join(folder, "engine.settings.yaml");
  engine = await startEngine({
    name: "engine",
    folder,
    adminPort: port.port,
    settings: {
      version: 1,
      listen: [`unix:${join(folder, "engine.sock")}`],
      admin: `tcp:127.0.0.1:${port.port}`,
      providers: [{ file: { paths: ["policies.yaml"] } }],
      state: "state",
      shutdown: { drainDelay: "0s", grace: "1s" },
    },
  });
}, 60_000);

afterAll(async () => {
  await engine?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: readonly string[]) {
  const child = spawn(process.execPath, ["bin/policy-engine.mjs", "rollback", "--settings", settings, ...args], { cwd: root });
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once("exit", resolve)),
  ]);
  return { status, stdout, stderr };
}

const logged = (msg: string): Promise<void> => eventually(msg, () => engine.log.some((line) => line.msg === msg && line.generation !== 1));

test("rolls back, says until when, and leaves its reason in the log", async () => {
  writeFileSync(join(folder, "policies.yaml"), configuration("two"));
  await logged("new generation in use");
  expect(await run("1", "--reason", "two is wrong")).toEqual({
    status: 0,
    stdout: "generation 3 is in use: the documents of 1, until a provider delivers something new\n",
    stderr: "",
  });
  await logged("rolled back");
  expect(engine.log).toContainEqual(expect.objectContaining({ msg: "rolled back", to: 1, reason: "two is wrong", generation: 3 }));
  expect(readFileSync(join(folder, "state", "last-good-generation"), "utf8")).toContain('x-a, set: \\"one\\"');
});

test("a generation that is not kept is named with those that are", async () => {
  const { status, stdout, stderr } = await run("41");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^generation 41 is not kept; these are: \n {2}1 {2}since .* delivery .*\n {2}2 .*\n {2}3 {2}since .* rollback /);
});

test("--json prints the engine's answer", async () => {
  const { status, stdout } = await run("3", "--json");
  expect([status, JSON.parse(stdout)]).toEqual([0, { kind: "unchanged", generation: 3 }]);
});

test("what is no number is misuse", async () => {
  expect((await run("last")).status).toBe(2);
});
