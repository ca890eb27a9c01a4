/** `policy-engine envoy` as a command: what it prints where, and how it ends. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fileWith, runCli } from "./run-cli.ts";

const settings = "configs/demo/settings.yaml";
const printed = readFileSync(new URL("../config/envoy/printed/demo.golden.yaml", import.meta.url), "utf8");

const run = (...args: readonly string[]) => runCli("envoy", ...args);

test("prints for the configuration that the settings' providers name, or for files", () => {
  expect(run("--settings", settings)).toEqual({ status: 0, stdout: printed, stderr: "" });
  expect(run("--settings", settings, "configs/demo/policies.yaml").stdout).toBe(printed);
});

test("--upstream goes into the upstream's cluster", () => {
  const { status, stdout } = run("--settings", settings, "--upstream", "shop.internal:81");
  expect([status, stdout]).toEqual([0, expect.stringContaining('address: "shop.internal", port_value: 81')]);
  expect(run("--settings", settings, "--upstream", "shop.internal")).toMatchObject({ status: 2, stdout: "" });
});

test("--check says nothing about the printed file, and ends with 0 on warnings", () => {
  expect(run("--settings", settings, "--check", fileWith(printed))).toEqual({ status: 0, stdout: "", stderr: "fine: 0 problems\n" });
  const { status, stdout, stderr } = run("--settings", settings, "--check", "configs/demo/envoy.yaml");
  expect([status, stderr]).toEqual([0, "fine: 0 problems, 1 warning\n"]);
  expect(stdout).toMatch(/^configs\/demo\/envoy\.yaml:\d+:\d+: warning\[envoy-route-unknown\] .*\n {2}at .*\n {2}help: .*\n$/);
});

test("--check ends with 1 on an error; --json is a list", () => {
  const bad = fileWith(printed.replace("failure_mode_allow: false", "failure_mode_allow: true"));
  expect(run("--settings", settings, "--check", bad)).toMatchObject({ status: 1, stderr: "1 problem\n" });
  const { status, stdout } = run("--settings", settings, "--check", bad, "--json");
  expect([status, JSON.parse(stdout)]).toEqual([1, [expect.objectContaining({ code: "envoy-fail-open", severity: "error" })]]);
});

test("a configuration that is refused is said to be", () => {
  const refused = run("--settings", settings, fileWith("version: 1\nroutes: { a: b }\n"));
  expect(refused).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("error[chain-undefined]") });
});

test("misuse ends with 2", () => {
  expect(run("--settings", settings, "--json").status).toBe(2);
  expect(run("--settings", settings, "--check", "configs/demo/envoy.yaml", "--upstream", "a:1").status).toBe(2);
  expect(run("--check", "configs/demo/envoy.yaml").status).toBe(2);
  expect(run("--settings", settings, "--check", "configs/demo/nothing.yaml").status).toBe(2);
});
