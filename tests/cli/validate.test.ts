/** `policy-engine validate` as a command: what it prints where, and how it ends. */
import { expect, test } from "vitest";
import { fileWith, runCli } from "./run-cli.ts";

const warned = `version: 1
chains: { unused: { steps: [] } }
`;

test("a warning ends with 0, and with 1 where --strict asks for it", () => {
  const path = fileWith(warned);
  const expected = {
    stdout: expect.stringMatching(/^.*:2:11: warning\[chain-unused\] .*\n.*\n.*\n$/),
    stderr: "fine: 0 problems, 1 warning\n",
  };
  expect(runCli("validate", path)).toEqual({ status: 0, ...expected });
  expect(runCli("validate", "--strict", path)).toEqual({ status: 1, ...expected, stderr: "0 problems, 1 warning\n" });
  expect(runCli("validate", "--strict", "configs/demo/policies.yaml")).toEqual({ status: 0, stdout: "", stderr: "fine\n" });
});

test("--json is a list of problems, warnings among them", () => {
  const { status, stdout, stderr } = runCli("validate", "--json", fileWith(warned));
  expect([status, JSON.parse(stdout), stderr]).toEqual([0, [expect.objectContaining({ code: "chain-unused", severity: "warning" })], ""]);
});

test("--bind finds what only bound chains show", () => {
  const path = fileWith(
    `version: 1
chains: { a: { bodyBytesMax: 1KiB, steps: [{ policy: set-header@2, parameters: { request: [{ remove: { name: x-a } }] } }] } }
routes: { a: a }
`,
  );
  expect(runCli("validate", path)).toMatchObject({ status: 0, stdout: "", stderr: "fine\n" });
  expect(runCli("validate", "--bind", path)).toMatchObject({ status: 0, stdout: expect.stringContaining("warning[body-limit-unused]") });
});
