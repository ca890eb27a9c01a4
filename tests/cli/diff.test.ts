/** `policy-engine diff` as a command: what it prints where, and how it ends. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fileWith, runCli } from "./run-cli.ts";

const demo = "configs/demo/policies.yaml";
const changed = readFileSync(new URL("../../configs/demo/policies.yaml", import.meta.url), "utf8").replace(
  "unmatched: deny",
  "unmatched: pass",
);

test("the same ends with 0 and prints nothing", () => {
  expect(runCli("diff", demo, demo)).toEqual({ status: 0, stdout: "", stderr: "both do the same\n" });
});

test("a difference ends with 1: words for people, or the whole for machines", () => {
  const path = fileWith(changed);
  expect(runCli("diff", demo, path)).toEqual({
    status: 1,
    stdout: `Protection that is gone or weaker:
  ! routes that are not listed: were denied, now pass

Routes:
  ~ unmatched: pass (before: deny)
`,
    stderr: "2 differences\n",
  });
  const { status, stdout, stderr } = runCli("diff", demo, path, "--json");
  expect([status, JSON.parse(stdout), stderr]).toEqual([
    1,
    {
      protection: [{ loss: { kind: "opened", to: "pass" } }],
      routes: [],
      unmatched: [{ from: "deny", to: "pass" }],
      chains: [],
      envoy: [],
    },
    "",
  ]);
});

test("a configuration that is refused, or is not there, ends with 2", () => {
  const refused = fileWith("version: 1\nroutes: { a: b }\n");
  expect(runCli("diff", demo, refused)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining("error[chain-undefined]") });
  expect(runCli("diff", demo, "nowhere.yaml").status).toBe(2);
  expect(runCli("diff", demo).status).toBe(2);
});

test("with settings it is refused what serve would refuse with them", () => {
  expect(runCli("diff", demo, demo, "--settings", "configs/demo/settings.yaml").status).toBe(0);
  const settings = fileWith("version: 1\nproviders: [{ file: { paths: [a.yaml] } }]\n");
  const { status, stderr } = runCli("diff", demo, demo, "--settings", settings);
  expect([status, stderr]).toEqual([2, expect.stringContaining("response-headers-not-sent")]);
});
