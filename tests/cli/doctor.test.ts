/** `policy-engine doctor` as a command: how it ends. What it finds is in `tests/doctor` and, on a real Envoy, in `tests/envoy/doctor`. */
import { expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const settings = "configs/demo/settings.yaml";
const run = (...args: readonly string[]) => runCli("doctor", "--settings", settings, ...args);

test("without an Envoy nothing is known, which is no finding", () => {
  const { status, stdout, stderr } = run("--envoy-admin", "http://127.0.0.1:1", "--watch-for", "1s");
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(
    /policy-engine: Envoy's admin port does not answer: GET http:\/\/127\.0\.0\.1:1: connect ECONNREFUSED 127\.0\.0\.1:1\n$/,
  );
});

test.each([
  { what: "no Envoy", args: [] },
  { what: "no URL", args: ["--envoy-admin", "127.0.0.1:9901"] },
  { what: "a password", args: ["--envoy-admin", "http://me:secret@127.0.0.1:1"] },
  { what: "no duration", args: ["--envoy-admin", "http://127.0.0.1:1", "--watch-for", "soon"] },
  { what: "a duration that is too long", args: ["--envoy-admin", "http://127.0.0.1:1", "--watch-for", "2h"] },
  { what: "a status without a probe", args: ["--envoy-admin", "http://127.0.0.1:1", "--expect-status", "403"] },
])("$what is misuse, ends with 2 and says what is meant", ({ args }) => {
  expect(run(...args)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringMatching(/^error: |goes with --probe/) });
});
